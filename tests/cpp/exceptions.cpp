/* An exception in every callback: it stops at the border, is reported, and ends what it was about. */
#include "check.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>

struct thrown {
    std::string where;
};

static std::string reports;
static libws::connection reported;

static void note(std::exception_ptr exception, libws::connection conn) {
    reported = conn;
    try {
        std::rethrow_exception(exception);
    } catch (const thrown &what) {
        reports += what.where + " ";
    } catch (const libws::error &error) {
        reports += std::string(libws::name(error.code())) + " ";
    }
}

/* One server that throws in one place, one client that does what leads there. */
struct stage {
    libws::loop loop;
    libws::handlers server, client;
    libws::listen_options options;
    libws::connect_options connecting;
    bool closed = false, has_conn = false;
    int code = 0, server_code = 0;
    std::string detail;

    stage() {
        reports.clear();
        reported = libws::connection();
        server.on_exception = note;
        server.on_open = [](libws::connection conn) { conn.send("hello"); };
        server.on_close = [this](libws::connection, const libws::close_info &info) { server_code = info.sent_code; };
        client.on_exception = note;
        client.on_close = [this](libws::connection, const libws::close_info &info) {
            closed = true;
            code = info.was_open ? info.code : 0;
            detail = info.detail;
        };
    }

    /* Runs until the client's on_close; what was reported. */
    std::string play() {
        const auto listener = loop.listen(any_port, std::move(server), options);
        loop.connect(listener.url(), std::move(client), connecting);
        CHECK(turn_until(loop, [this] { return closed; }));
        return reports;
    }
};

static void in_upgrade() {
    stage it;
    it.server.on_upgrade = [](libws::request) -> libws::decision { throw thrown{"on_upgrade"}; };
    CHECK(it.play() == "on_upgrade " && it.detail == "HTTP 500" && !reported);
}

static void in_open() {
    stage it;
    it.server.on_open = [](libws::connection) { throw thrown{"on_open"}; };
    CHECK(it.play() == "on_open " && it.code == 1011 && it.server_code == 1011 && reported);
}

static void in_message() {
    stage it;
    it.server.on_message = [](libws::connection, const libws::message &) { throw thrown{"on_message"}; };
    it.client.on_open = [](libws::connection conn) { conn.send("x"); };
    CHECK(it.play() == "on_message " && it.code == 1011);
}

static void in_message_of_a_client() {
    stage it;
    it.client.on_message = [](libws::connection, const libws::message &) { throw thrown{"client"}; };
    CHECK(it.play() == "client " && it.code == 1011);
}

static void in_pong() {
    stage it;
    it.client.on_open = [](libws::connection conn) { conn.ping("x"); };
    it.client.on_pong = [](libws::connection, std::string_view) { throw thrown{"on_pong"}; };
    CHECK(it.play() == "on_pong " && it.code == 1011);
}

static void in_drain() {
    stage it;
    it.server.on_open = [](libws::connection conn) {
        while (conn.send(std::string(65536, 'x')) == libws::sent::ok) {}
    };
    it.server.on_drain = [](libws::connection) { throw thrown{"on_drain"}; };
    CHECK(it.play() == "on_drain " && it.code == 1011);
}

static void in_close() {
    stage it;
    bool mine = false;
    it.server.on_open = [](libws::connection conn) { conn.close(1000); };
    it.client.on_close = [&](libws::connection, const libws::close_info &) {
        it.closed = mine = true;
        throw thrown{"on_close"};
    };
    CHECK(it.play() == "on_close " && mine);
}

static void in_retry() {
    stage it;
    it.connecting.reconnect = true;
    it.client.on_retry = [](libws::connection, const libws::close_info &, std::chrono::milliseconds after) {
        CHECK(after.count() >= 0);
        throw thrown{"on_retry"};
    };
    it.server.on_upgrade = [](libws::request) { return libws::decision::refuse(503); };
    CHECK(it.play() == "on_retry ");
}

static void in_listener_close() {
    reports.clear();
    libws::loop loop;
    libws::handlers on;
    bool called = false;
    on.on_exception = note;
    on.on_listener_close = [&](libws::listener) {
        called = true;
        throw thrown{"on_listener_close"};
    };
    loop.listen(any_port, std::move(on)).close();
    CHECK(turn_until(loop, [&] { return called; }));
    CHECK(reports == "on_listener_close ");
}

/* The library's own exceptions are like any other; a code of one's own wins over 1011. */
static void handler_decides() {
    stage it;
    it.server.on_open = [](libws::connection conn) { conn.close(1005); };
    it.server.on_exception = [](std::exception_ptr exception, libws::connection conn) {
        note(exception, conn);
        conn.close(4321);
        throw thrown{"dropped"};
    };
    CHECK(it.play() == "LIBWS_ERR_INVALID " && it.code == 4321);
}

/* Without on_exception in the handlers the loop's is told; without that, nobody is. */
static void of_the_loop() {
    reports.clear();
    libws::loop_options options;
    int lines = 0, beats = 0;
    options.on_exception = [](std::exception_ptr exception) {
        note(exception, libws::connection());
        throw thrown{"dropped"};
    };
    options.level = libws::log_level::debug;
    options.log = [&](libws::log_level, std::string_view line) {
        CHECK(!line.empty());
        if (++lines == 1) throw thrown{"log"};
    };
    libws::loop loop(std::move(options));
    libws::handlers on;
    on.on_open = [](libws::connection) { throw thrown{"on_open"}; };
    const auto listener = loop.listen(any_port, std::move(on));
    bool closed = false;
    libws::handlers client;
    client.on_close = [&](libws::connection, const libws::close_info &info) { closed = info.code == 1011; };
    loop.connect(listener.url(), std::move(client));
    CHECK(turn_until(loop, [&] { return closed; }));
    CHECK(reports.find("on_open ") != std::string::npos);
    CHECK((lines > 0) == (reports.find("log ") != std::string::npos));
    reports.clear();
    loop.post([] { throw thrown{"post"}; });
    CHECK(turn_until(loop, [] { return reports == "post "; }));
    const auto beat = loop.every(1ms, [&] { throw thrown{std::to_string(++beats)}; });
    CHECK(turn_until(loop, [&] { return beats == 3; })); /* it goes on */
    CHECK(reports == "post 1 2 3 " && beat.stop());

    libws::loop silent;
    bool ran = false;
    silent.post([&] {
        ran = true;
        throw thrown{"nobody hears"};
    });
    CHECK(turn_until(silent, [&] { return ran; }));
}

/* The first bytes of the answer to a plain GET. */
static std::string get(int port) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const std::string ask = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char answer[256];
    ssize_t len = -1;
    if (connect(fd, reinterpret_cast<sockaddr *>(&address), sizeof address) == 0 &&
        send(fd, ask.data(), ask.size(), 0) == static_cast<ssize_t>(ask.size()))
        len = recv(fd, answer, 12, MSG_WAITALL);
    close(fd);
    return std::string(answer, len > 0 ? static_cast<std::size_t>(len) : 0);
}

static void in_request() {
    reports.clear();
    libws::handlers on;
    libws::loop loop;
    std::atomic<bool> answer_first{false};
    on.on_exception = note;
    on.on_request = [&](libws::request asked) {
        if (answer_first) asked.respond(204);
        throw thrown{"on_request"};
    };
    const int port = loop.listen(any_port, std::move(on)).port();
    loop.start();
    CHECK(get(port) == "HTTP/1.1 500");
    answer_first = true;
    CHECK(get(port) == "HTTP/1.1 204");
    loop.free();
    CHECK(reports == "on_request on_request ");
}

int main() {
    check_begin();
    in_upgrade();
    in_open();
    in_message();
    in_message_of_a_client();
    in_pong();
    in_drain();
    in_close();
    in_retry();
    in_listener_close();
    in_request();
    handler_decides();
    of_the_loop();
    return check_end();
}
