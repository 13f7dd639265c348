/* Every lambda is destroyed once, and not before its last call; memory checkers look on. */
#include "check.hpp"

#include <cerrno>

static bool no_lambda_left() { return counted::alive == 0; }

static void listen_that_fails() {
    libws::loop loop;
    libws::listen_options bad;
    bad.path = "no slash";
    CHECK_THROWS(libws::result::address, loop.listen("http://nonsense", counting_handlers()));
    CHECK(no_lambda_left());
    CHECK_THROWS(libws::result::invalid, loop.listen(any_port, counting_handlers(), bad));
    CHECK(no_lambda_left());
    bad.path = std::string("/a\0b", 4);
    CHECK_THROWS(libws::result::invalid, loop.listen(any_port, counting_handlers(), bad));
    CHECK_THROWS(libws::result::invalid, loop.listen(std::string_view("ws://a\0b", 8), counting_handlers()));
    CHECK(no_lambda_left());
    const auto taken = loop.listen(any_port, {});
    try {
        loop.listen(taken.url(), counting_handlers());
        CHECK(false);
    } catch (const libws::error &error) {
        CHECK(error.code() == libws::result::io && error.os_error() == EADDRINUSE);
    }
    CHECK(no_lambda_left());
}

static void connect_that_fails() {
    libws::loop loop;
    libws::connect_options bad;
    bad.headers = "no colon";
    CHECK_THROWS(libws::result::address, loop.connect("nonsense", counting_handlers()));
    CHECK(no_lambda_left());
    CHECK_THROWS(libws::result::invalid, loop.connect("ws://127.0.0.1/", counting_handlers(), bad));
    CHECK(no_lambda_left());
    /* Nobody listens there: it fails later, in on_close. */
    const auto listener = loop.listen(any_port, {});
    const std::string url = listener.url();
    listener.close();
    const auto conn = loop.connect(url, counting_handlers());
    CHECK(!no_lambda_left());
    CHECK(turn_until(loop, no_lambda_left));
    CHECK(conn.state() == libws::ready_state::closed);
}

static void listener_closed_while_connections_live() {
    libws::loop loop;
    libws::connection server;
    bool ended = false;
    auto on = counting_handlers();
    on.on_open = [&](libws::connection conn) { server = conn; };
    const auto listener = loop.listen(any_port, std::move(on));
    const int of_listener = counted::alive;
    libws::handlers client;
    client.on_close = [&](libws::connection, const libws::close_info &) { ended = true; };
    loop.connect(listener.url(), client);
    CHECK(turn_until(loop, [&] { return server.id() != 0; }));
    CHECK(listener.close() && !listener.close());
    for (int i = 0; i < 5; i++) loop.run_once(1ms);
    CHECK(counted::alive == of_listener && server.is_open());
    server.close();
    CHECK(turn_until(loop, [&] { return ended; }));
    CHECK(turn_until(loop, no_lambda_left));
}

/* The loop is freed with everything alive: open, connecting, waiting to reconnect, asked and not answered. */
static void freed_with_everything_alive(bool background) {
    int closed = 0;
    {
        libws::loop loop;
        std::atomic<int> opened{0}, asked{0}, retried{0};
        auto on = counting_handlers(), client = counting_handlers();
        const counted mark;
        on.on_open = [&](libws::connection) { opened++; };
        on.on_upgrade = [&, mark](libws::request request) {
            if (request.target() == "/wait") return asked++, libws::decision::defer();
            return libws::decision::accept(std::make_shared<counted>(mark));
        };
        on.on_close = [&](libws::connection conn, const libws::close_info &) {
            CHECK(conn.data<counted>());
            closed++;
        };
        client.on_retry = [&, mark](libws::connection, const libws::close_info &, std::chrono::milliseconds) {
            retried++;
        };
        const auto listener = loop.listen(any_port, std::move(on));
        const auto gone = loop.listen(any_port, counting_handlers());
        const std::string nobody = gone.url();
        gone.close();
        libws::connect_options again;
        again.reconnect = true;
        again.reconnect_min_ms = again.reconnect_max_ms = 60000;
        loop.connect(listener.url(), client);
        loop.connect(listener.url() + "/wait", client);
        loop.connect(nobody, client, again);
        const auto there = [&] { return opened == 1 && asked == 1 && retried >= 1; };
        if (background) {
            loop.start();
            CHECK(wait_until(there));
        } else {
            CHECK(turn_until(loop, there));
        }
        loop.connect(listener.url(), client);
        for (int i = 0; i < 3; i++) loop.post([mark, i] { CHECK(i < 3); });
        loop.after(60s, [mark] { CHECK(false); });
        loop.every(60s, [mark](const libws::timer &) { CHECK(false); });
        loop.post([&loop, mark] { loop.post([mark] {}); });
    }
    CHECK(closed >= 1);
    CHECK(no_lambda_left());
}

/* A loop that never ran. */
static void never_run() {
    bool posted = false;
    {
        libws::loop loop;
        loop.listen(any_port, counting_handlers());
        loop.connect("ws://127.0.0.1:1/", counting_handlers());
        loop.post([&posted, mark = std::make_unique<counted>()] { posted = true; }); /* moves only */
        loop.after(0ms, [mark = std::make_unique<counted>()] { CHECK(false); });
    }
    CHECK(posted && no_lambda_left());
}

static void timers_and_posts() {
    libws::loop loop;
    int once = 0, beats = 0, posts = 0;
    loop.after(1ms, [&, mark = counted()] { once++; });
    CHECK(counted::alive == 1);
    CHECK(turn_until(loop, no_lambda_left));
    CHECK(once == 1);
    const auto beat = loop.every(1ms, [&, mark = counted()](const libws::timer &self) {
        if (++beats == 3) CHECK(self.stop() && !self.stop());
        CHECK(counted::alive == 1); /* alive to the end of its own call */
    });
    CHECK(turn_until(loop, no_lambda_left));
    CHECK(beats == 3 && !beat.stop());
    const auto never = loop.after(60s, [mark = counted()] { CHECK(false); });
    CHECK(!no_lambda_left() && never.stop() && no_lambda_left() && !never.stop());
    for (int i = 0; i < 10; i++) loop.post([&, mark = counted()] { posts++; });
    CHECK(counted::alive == 10);
    CHECK(turn_until(loop, [&] { return posts == 10; }));
    CHECK(no_lambda_left());
    CHECK_THROWS(libws::result::invalid, loop.after(-1ms, [mark = counted()] {}));
    CHECK_THROWS(libws::result::invalid, loop.every(0ms, [mark = counted()] {}));
    CHECK_THROWS(libws::result::invalid, loop.after(1000h * 24, [mark = counted()] {}));
    CHECK(no_lambda_left());
}

/* What captures do when they are destroyed: any call is fine. */
static void destructors_that_call() {
    libws::loop loop;
    struct caller {
        const libws::loop *loop;
        int *calls;
        ~caller() {
            ++*calls;
            loop->post([] {});
        }
    };
    int calls = 0;
    const auto make = [&] { return std::shared_ptr<caller>(new caller{&loop, &calls}); };
    libws::handlers on, client;
    on.on_open = [mark = make()](libws::connection conn) { conn.close(); };
    on.on_upgrade = [&](libws::request) { return libws::decision::accept(make()); };
    client.on_close = [mark = make()](libws::connection, const libws::close_info &) {};
    const auto listener = loop.listen(any_port, std::move(on));
    loop.connect(listener.url(), std::move(client));
    CHECK(turn_until(loop, [&] { return calls == 2; }));
    listener.close();
    CHECK(turn_until(loop, [&] { return calls == 3; }));
    loop.after(60s, [mark = make()] {}).stop();
    CHECK(calls == 4);
}

int main() {
    check_begin();
    listen_that_fails();
    connect_that_fails();
    listener_closed_while_connections_live();
    freed_with_everything_alive(false);
    freed_with_everything_alive(true);
    never_run();
    timers_and_posts();
    destructors_that_call();
    CHECK(no_lambda_left());
    return check_end();
}
