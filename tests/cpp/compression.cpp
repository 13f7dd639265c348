/* permessage-deflate: agreed or not, message by message, over topics, and within the memory of a loop. */
#include "check.hpp"

static libws::settings deflate(std::uint32_t flags) {
    libws::settings settings;
    settings.flags = flags;
    return settings;
}

static const std::string prose = [] {
    std::string text;
    for (int i = 0; i < 200; i++) text += "price " + std::to_string(i * 7919) + ", ";
    return text;
}();

/* Sends three messages, gets them back and one of a topic; returns how many of those four came compressed. */
static int dialogue(std::uint32_t server_flags, std::uint32_t client_flags, std::uint32_t memory) {
    libws::loop_options looping;
    looping.deflate_memory = memory;
    libws::loop loop(looping);
    libws::listen_options listening;
    libws::connect_options connecting;
    libws::handlers server, client;
    int messages = 0, compressed = 0;
    const bool both = (server_flags & client_flags & LIBWS_DEFLATE) != 0;
    listening.settings = deflate(server_flags);
    connecting.settings = deflate(client_flags);
    server.on_open = [&](libws::connection conn) {
        CHECK(conn.info()->deflate == both);
        CHECK(conn.subscribe("news"));
    };
    server.on_message = [&](libws::connection conn, const libws::message &message) {
        const auto how = message.data == "a secret" + prose ? libws::compression::never : libws::compression::allowed;
        CHECK(message.compressed == (both && message.data.size() > 128 && how == libws::compression::allowed));
        CHECK(conn.send(message, how) == libws::sent::ok);
    };
    client.on_open = [&](libws::connection conn) {
        CHECK(conn.info()->deflate == both);
        CHECK(conn.send(prose) == libws::sent::ok);
        CHECK(conn.send("a secret" + prose, libws::message_kind::text, libws::compression::never) == libws::sent::ok);
        CHECK(conn.try_send(prose, libws::message_kind::binary) == libws::result::ok);
    };
    client.on_message = [&](libws::connection conn, const libws::message &message) {
        const std::string expected[] = {prose, "a secret" + prose, prose, prose, "quiet" + prose};
        CHECK(messages < 5 && message.data == expected[messages]);
        if (messages == 1 || messages == 4) CHECK(!message.compressed);
        compressed += message.compressed;
        switch (++messages) {
        case 3: CHECK(loop.publish("news", prose) == 1); break;
        case 4:
            CHECK(loop.publish("news", "quiet" + prose, libws::message_kind::binary, {}, libws::compression::never) == 1);
            break;
        case 5: CHECK(conn.close());
        }
    };
    const auto listener = loop.listen(any_port, std::move(server), listening);
    client.on_close = [&](libws::connection, const libws::close_info &info) { CHECK(info.was_clean && listener.close()); };
    loop.connect(listener.url(), std::move(client), connecting);
    loop.run();
    CHECK(messages == 5);
    return compressed;
}

static void refused() {
    libws::loop loop;
    libws::connect_options options;
    options.settings.deflate_level = 6; /* without LIBWS_DEFLATE */
    CHECK_THROWS(libws::result::invalid, loop.connect("ws://127.0.0.1:1", counting_handlers(), options));
    options.settings = deflate(LIBWS_DEFLATE);
    options.settings.deflate_window_bits = 8;
    CHECK_THROWS(libws::result::invalid, loop.connect("ws://127.0.0.1:1", counting_handlers(), options));
    CHECK(counted::alive == 0);
}

int main() {
    const std::uint32_t all = LIBWS_DEFLATE | LIBWS_DEFLATE_TAKEOVER | LIBWS_DEFLATE_PEER_TAKEOVER;
    check_begin();
    CHECK(dialogue(0, 0, 0) == 0);
    CHECK(dialogue(LIBWS_DEFLATE, 0, 0) == 0);
    CHECK(dialogue(0, LIBWS_DEFLATE, 0) == 0);
    CHECK(dialogue(LIBWS_DEFLATE, LIBWS_DEFLATE, 0) == 3);
    CHECK(dialogue(all, all, 0) == 3);
    CHECK(dialogue(all, all, 1) == 3); /* no memory for takeover: it goes without */
    refused();
    return check_end();
}
