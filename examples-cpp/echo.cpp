/* echo [URL]: sends every message back; with a second argument it is the client: echo URL TEXT. */
#include <libws.hpp>

#include <csignal>
#include <iostream>

static libws_loop running;

/* libws_loop_stop is one of the few calls that a signal handler may make. */
static void stop(int) { libws_loop_stop(running); }

static void serve(libws::loop &loop, std::string_view url) {
    libws::handlers on;
    on.on_message = [](libws::connection conn, const libws::message &message) { conn.send(message); };
    const auto listener = loop.listen(url, std::move(on));
    std::cout << "listening on " << listener.url() << std::endl;
}

static void ask(libws::loop &loop, std::string_view url, std::string text) {
    libws::handlers on;
    on.on_open = [text](libws::connection conn) { conn.send(text); };
    on.on_message = [](libws::connection conn, const libws::message &message) {
        std::cout << message.data << std::endl;
        conn.close();
    };
    on.on_close = [](libws::connection, const libws::close_info &info) {
        if (info.error != libws::result::ok) std::cerr << info.detail << std::endl;
    };
    loop.connect(url, std::move(on));
}

int main(int argc, char **argv) try {
    libws::loop loop;
    const std::string url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    if (argc > 2) ask(loop, url, argv[2]);
    else serve(loop, url);
    running = loop.id();
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    loop.run(); /* until a signal, or until nothing is left to do */
} catch (const libws::error &error) {
    std::cerr << libws::name(error.code()) << ": " << error.what() << std::endl;
    return 1;
}
