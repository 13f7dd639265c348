/* Messages both ways, and what the values tell: states, info, topics, data, requests, backpressure. */
#include "check.hpp"

#include <unordered_map>

static libws::handlers echoing() {
    libws::handlers on;
    on.on_message = [](libws::connection conn, const libws::message &message) {
        CHECK(conn.send(message) == libws::sent::ok);
    };
    return on;
}

static void both_ways() {
    const std::string binary("\0\xff\x01 and more", 12), longer(100000, 'x');
    libws::loop loop;
    libws::handlers on;
    std::string pong;
    int messages = 0, code = 0;
    const auto listener = loop.listen(any_port, echoing());
    on.on_open = [&](libws::connection conn) {
        CHECK(conn.is_open());
        CHECK(conn.ping("p"));
        CHECK(conn.send("hello") == libws::sent::ok);
        CHECK(conn.try_send(binary, libws::message_kind::binary) == libws::result::ok);
        CHECK(conn.send("") == libws::sent::ok);
        CHECK(conn.send(std::string_view("a\0b", 3)) == libws::sent::ok);
        CHECK(conn.send(longer) == libws::sent::ok);
    };
    on.on_pong = [&](libws::connection, std::string_view data) { pong = data; };
    on.on_message = [&](libws::connection conn, const libws::message &message) {
        const std::string_view expected[] = {"hello", binary, "", std::string_view("a\0b", 3), longer};
        CHECK(messages < 5 && message.data == expected[messages]);
        CHECK(message.is_text() == (messages != 1));
        if (++messages == 5) CHECK(conn.close(4000, "thanks"));
    };
    on.on_close = [&](libws::connection, const libws::close_info &info) {
        CHECK(info.was_open && info.was_clean && info.error == libws::result::ok && info.sent_code == 4000);
        CHECK(info.reason == "thanks" && info.unsent == 0);
        code = info.code;
        CHECK(listener.close());
    };
    const auto conn = loop.connect(listener.url() + "/", std::move(on));
    CHECK(conn.state() == libws::ready_state::connecting);
    loop.run(); /* until nothing is left */
    CHECK(code == 4000 && messages == 5 && pong == "p");
    CHECK(conn.state() == libws::ready_state::closed);
}

struct visitor {
    std::string name;
    counted mark{};
};

static void data_and_topics() {
    libws::loop loop;
    libws::handlers on, client;
    std::unordered_map<libws::connection, int> heard;
    int closed = 0;
    on.on_upgrade = [](libws::request asked) {
        auto guest = std::make_shared<visitor>();
        guest->name = asked.target();
        CHECK(asked.method() == "GET" && asked.body().empty() && !asked.peer().empty());
        CHECK(asked.header("sec-websocket-version") == std::optional<std::string_view>("13"));
        CHECK(!asked.header("x-none"));
        return libws::decision::accept(std::move(guest));
    };
    on.on_open = [&](libws::connection conn) {
        CHECK(conn.data<visitor>() && conn.data<visitor>()->name.size() == 2);
        CHECK(conn.data<int>() == nullptr);
        CHECK(conn.subscribe("news"));
        const auto info = conn.info();
        CHECK(info && info->is_server && info->protocol == "b" && info->state == libws::ready_state::open);
        if (conn.data<visitor>()->name == "/3") CHECK(loop.publish("news", "all") == 3);
    };
    on.on_close = [&](libws::connection conn, const libws::close_info &) {
        CHECK(conn.data<visitor>() != nullptr);
        closed++;
    };
    libws::listen_options options;
    options.protocols = "a, b";
    options.path = "";
    options.settings.max_message = 1000;
    const auto listener = loop.listen(any_port, std::move(on), options);
    client.on_message = [&](libws::connection conn, const libws::message &message) {
        CHECK(message.data == "all" && conn.data<visitor>() == nullptr);
        heard[conn]++;
    };
    libws::connect_options offer;
    offer.protocols = "b";
    for (const char *path : {"/1", "/2", "/3"}) loop.connect(listener.url() + path, client, offer);
    CHECK(turn_until(loop, [&] { return heard.size() == 3; }));
    CHECK(counted::alive == 3);
    for (const auto &[conn, count] : heard) CHECK(count == 1 && conn.send(std::string(1001, 'x')) == libws::sent::ok);
    CHECK(turn_until(loop, [&] { return closed == 3; })); /* over max_message */
    CHECK(counted::alive == 0);
}

/* A decision that comes later, with data, after a first answer that could not be given. */
static void deferred() {
    libws::loop loop;
    libws::handlers on, client;
    libws::request waiting;
    std::string name;
    bool refused = false;
    on.on_upgrade = [&](libws::request asked) {
        waiting = asked;
        return libws::decision::defer();
    };
    on.on_open = [&](libws::connection conn) { name = conn.data<visitor>()->name; };
    const auto listener = loop.listen(any_port, std::move(on));
    client.on_close = [&](libws::connection, const libws::close_info &info) { refused = info.detail == "HTTP 403"; };
    loop.connect(listener.url(), client);
    CHECK(turn_until(loop, [&] { return waiting.id() != 0; }));
    const auto guest = std::make_shared<visitor>(visitor{"late"});
    CHECK_THROWS(libws::result::invalid, waiting.accept(guest, "never offered"));
    CHECK(guest.use_count() == 1);
    CHECK_THROWS(libws::result::invalid, libws::request(waiting.id()).accept(guest));
    CHECK(waiting.accept(guest));
    CHECK(!waiting.accept(guest) && !waiting.accept() && !waiting.respond(403));
    CHECK(guest.use_count() == 2 && waiting.target().empty() && waiting.peer().empty());
    CHECK(turn_until(loop, [&] { return name == "late"; }));
    waiting = libws::request();
    loop.connect(listener.url(), client);
    CHECK(turn_until(loop, [&] { return waiting.id() != 0; }));
    CHECK(waiting.respond(403, "no", "X-Why: because\r\n"));
    CHECK(turn_until(loop, [&] { return refused; }));
    loop.free();
    CHECK(guest.use_count() == 1);
}

static void full_queue() {
    libws::loop loop;
    libws::handlers on, client;
    libws::connection server;
    bool drained = false;
    const std::string block(65536, 'x');
    on.on_open = [&](libws::connection conn) { server = conn; };
    on.on_drain = [&](libws::connection) { drained = true; };
    const auto listener = loop.listen(any_port, std::move(on));
    const auto reader = loop.connect(listener.url(), client);
    CHECK(turn_until(loop, [&] { return server.id() != 0; }));
    int pending = 0;
    libws::sent last = libws::sent::ok;
    for (int i = 0; i < 1000 && last != libws::sent::full; i++) {
        last = server.send(block);
        pending += last == libws::sent::pending;
    }
    CHECK(last == libws::sent::full && pending > 0 && server.buffered_amount() > 0);
    CHECK(turn_until(loop, [&] { return drained; }));
    CHECK(reader.pause() && reader.resume());
    CHECK(server.terminate());
    CHECK(turn_until(loop, [&] { return server.send("x") == libws::sent::closed; }));
}

static void unix_socket() {
    const std::string path = "/tmp/libws-cpp-" + std::to_string(getpid()) + ".sock";
    libws::loop loop;
    libws::handlers client;
    bool heard = false;
    const auto listener = loop.listen("ws+unix:" + path, echoing());
    CHECK(listener.port() == 0 && listener.url() == "ws+unix:" + path);
    client.on_open = [](libws::connection conn) { conn.send("hi"); };
    client.on_message = [&](libws::connection, const libws::message &message) { heard = message.data == "hi"; };
    loop.connect(listener.url(), std::move(client));
    CHECK(turn_until(loop, [&] { return heard; }));
}

int main() {
    check_begin();
    both_ways();
    data_and_topics();
    deferred();
    full_queue();
    unix_socket();
    return check_end();
}
