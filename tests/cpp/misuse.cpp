/* Calls that cannot succeed: they throw or return, and nothing breaks. */
#include "check.hpp"

static void dead_ids() {
    for (const std::uint64_t id : {std::uint64_t{0}, std::uint64_t{12345}, ~std::uint64_t{0}}) {
        const libws::connection conn(id);
        CHECK(conn.send("x") == libws::sent::closed && conn.try_send("x") == libws::result::gone);
        CHECK(!conn.close() && !conn.terminate() && !conn.ping() && !conn.pause() && !conn.resume());
        CHECK(!conn.subscribe("t") && !conn.unsubscribe("t") && !conn.info() && !conn.is_open());
        CHECK(conn.buffered_amount() == 0 && conn.data<int>() == nullptr);
        const libws::listener listener(id);
        CHECK(!listener.close());
        CHECK_THROWS(libws::result::gone, listener.port());
        CHECK_THROWS(libws::result::gone, listener.url());
        const libws::request request(id);
        CHECK(!request.accept() && !request.respond(200) && request.method().empty() && request.body().empty());
        CHECK(request.target().empty() && !request.header("host") && request.peer().empty());
        CHECK(bool(conn) == (id != 0));
    }
    CHECK(!libws::timer().stop());
}

static void all_throw_gone(libws::loop &loop) {
    using libws::result;
    CHECK_THROWS(result::gone, loop.run());
    CHECK_THROWS(result::gone, loop.run_once(0ms));
    CHECK_THROWS(result::gone, loop.start());
    CHECK_THROWS(result::gone, loop.fd());
    CHECK_THROWS(result::gone, loop.timeout());
    CHECK_THROWS(result::gone, loop.listen(any_port, counting_handlers()));
    CHECK_THROWS(result::gone, loop.connect("ws://127.0.0.1:1", counting_handlers()));
    CHECK_THROWS(result::gone, loop.post([mark = counted()] {}));
    CHECK_THROWS(result::gone, loop.after(1ms, [mark = counted()] {}));
    CHECK_THROWS(result::gone, loop.every(1ms, [mark = counted()] {}));
    CHECK_THROWS(result::gone, loop.publish("t", "x"));
    CHECK_THROWS(result::gone, loop.free());
    CHECK(!loop.stop());
    CHECK(counted::alive == 0);
}

static void moved_and_freed_loops() {
    libws::loop first;
    const auto id = first.id();
    bool ran = false;
    first.after(1ms, [&, mark = counted()] { ran = true; });
    libws::loop second(std::move(first));
    CHECK(first.id() == 0 && second.id() == id); /* NOLINT: looked at on purpose */
    CHECK(turn_until(second, [&] { return ran; }));
    all_throw_gone(first);
    first = libws::loop();
    CHECK(first.id() != 0 && first.id() != id);
    second.listen(any_port, counting_handlers());
    second.every(60s, [mark = counted()] {});
    CHECK(counted::alive > 0);
    second = std::move(first); /* frees what it held */
    CHECK(counted::alive == 0);
    auto &same = second;
    second = std::move(same);
    second.run_once(0ms);
    second.every(60s, [mark = counted()] {});
    second.free();
    CHECK(counted::alive == 0);
    all_throw_gone(second);
}

static void bad_arguments() {
    using libws::result;
    const std::string nul("a\0b", 3);
    libws::loop loop;
    libws::handlers on, client;
    bool checked = false;
    on.on_open = [&](libws::connection conn) {
        CHECK_THROWS(result::utf8, conn.send("\xff"));
        CHECK(conn.try_send("\xff") == result::utf8);
        CHECK_THROWS(result::invalid, conn.close(1005));
        CHECK_THROWS(result::invalid, conn.close(-1));
        CHECK_THROWS(result::invalid, conn.close(1000, nul));
        CHECK_THROWS(result::invalid, conn.close(1000, std::string(124, 'x')));
        CHECK_THROWS(result::utf8, conn.close(1000, "\xff"));
        CHECK_THROWS(result::invalid, conn.ping(std::string(126, 'x')));
        CHECK_THROWS(result::invalid, conn.subscribe(""));
        CHECK_THROWS(result::invalid, conn.subscribe(nul));
        CHECK_THROWS(result::invalid, loop.publish(nul, "x"));
        CHECK_THROWS(result::state, loop.run());
        CHECK_THROWS(result::state, loop.run_once(0ms));
        CHECK_THROWS(result::state, loop.free());
        CHECK_THROWS(result::state, loop.start());
        CHECK(conn.is_open() && conn.close() && !conn.close() && conn.send("x") == libws::sent::closed);
        checked = true;
    };
    on.on_upgrade = [](libws::request asked) {
        CHECK_THROWS(result::invalid, asked.accept("x\r\ny"));
        CHECK_THROWS(result::invalid, asked.accept(std::nullopt, "bad"));
        CHECK_THROWS(result::invalid, asked.respond(200));
        CHECK_THROWS(result::invalid, asked.header(std::string_view("a\0b", 3)));
        return libws::decision::accept();
    };
    const auto listener = loop.listen(any_port, std::move(on));
    loop.connect(listener.url(), client);
    CHECK(turn_until(loop, [&] { return checked; }));
    CHECK_THROWS(result::invalid, loop.run_once(-2ms));
    CHECK_THROWS(result::invalid, loop.run_once(-1000000h));
    loop.start();
    CHECK_THROWS(result::thread, loop.run_once(0ms));
    CHECK_THROWS(result::thread, loop.fd());
    CHECK_THROWS(result::state, loop.start());
}

/* A refusal with a status that is none, and one with every status that is one. */
static void decisions() {
    CHECK(libws::decision::accept().value() == LIBWS_ACCEPT && libws::decision::defer().value() == LIBWS_DEFER);
    CHECK(libws::decision::refuse(403).value() == 403);
    CHECK(libws::decision::refuse(1).value() == 500 && libws::decision::refuse(2).value() == 500);
}

/* A loop destroyed in its own callback is given up: it lives on and its lambdas with it. */
static void destroyed_in_a_callback() {
    auto loop = std::make_unique<libws::loop>();
    const auto id = loop->id();
    std::atomic<int> closed{0};
    libws::handlers on;
    on.on_listener_close = [&](libws::listener) { closed++; };
    loop->listen(any_port, std::move(on));
    loop->post([&] { loop.reset(); });
    CHECK(libws_loop_run_once(id, 0) == LIBWS_OK);
    CHECK(!loop && closed == 0);
    CHECK(libws_loop_free(id) == LIBWS_OK); /* still a loop of libws */
    CHECK(closed == 1);
}

int main(int argc, char **) {
    check_begin();
    dead_ids();
    moved_and_freed_loops();
    bad_arguments();
    decisions();
    if (argc == 1) destroyed_in_a_callback(); /* with an argument: under a checker of leaks, which this is */
    CHECK(counted::alive == 0);
    return check_end();
}
