/* chat_rooms [URL]: the path is the room, the query the name: "ws://127.0.0.1:9001/kitchen?ann".
 * A name is taken once in a room. Everybody hears "ann joined", "ann: hello", "ann left". */
#include <libws.hpp>

#include <csignal>
#include <iostream>
#include <unordered_set>

using namespace std::chrono_literals;

static libws_loop running;
static void stop(int) { libws_loop_stop(running); }

struct member {
    std::string room, name;
};

class chat {
  public:
    explicit chat(const libws::loop &loop) : loop_(loop) {}

    libws::handlers handlers() {
        libws::handlers on;
        on.on_upgrade = [this](libws::request asked) { return decide(asked.target()); };
        on.on_open = [this](libws::connection conn) { join(conn, *conn.data<member>()); };
        on.on_message = [this](libws::connection conn, const libws::message &message) {
            const member &from = *conn.data<member>();
            loop_.publish(from.room, from.name + ": " + std::string(message.data));
        };
        on.on_close = [this](libws::connection conn, const libws::close_info &) { leave(conn, *conn.data<member>()); };
        return on;
    }

    void tell_time(std::chrono::minutes up) const {
        for (const auto conn : open_) conn.send("open for " + std::to_string(up.count()) + " min");
    }

  private:
    /* What is decided here is the connection's data from then on. */
    libws::decision decide(std::string_view target) const {
        const std::size_t mark = target.find('?');
        if (mark == std::string_view::npos || mark + 1 == target.size()) return libws::decision::refuse(400);
        auto guest = std::make_shared<member>();
        guest->room = target.substr(0, mark);
        guest->name = target.substr(mark + 1);
        for (const auto conn : open_) {
            const member &other = *conn.data<member>();
            if (other.room == guest->room && other.name == guest->name) return libws::decision::refuse(409);
        }
        return libws::decision::accept(std::move(guest));
    }

    void join(libws::connection conn, const member &who) {
        open_.insert(conn);
        conn.subscribe(who.room);
        loop_.publish(who.room, who.name + " joined");
    }

    void leave(libws::connection conn, const member &who) {
        if (open_.erase(conn) > 0) loop_.publish(who.room, who.name + " left");
    }

    const libws::loop &loop_;
    std::unordered_set<libws::connection> open_; /* needs no lock: callbacks never run at the same time */
};

int main(int argc, char **argv) try {
    std::unique_ptr<chat> rooms; /* before the loop: on_close uses it until the loop is freed */
    libws::loop loop;
    rooms = std::make_unique<chat>(loop);
    const auto listener = loop.listen(argc > 1 ? argv[1] : "ws://127.0.0.1:9001", rooms->handlers());
    loop.every(1min, [&rooms, up = 0min]() mutable { rooms->tell_time(++up); });
    std::cout << "listening on " << listener.url() << std::endl;
    running = loop.id();
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    loop.run();
} catch (const libws::error &error) {
    std::cerr << libws::name(error.code()) << ": " << error.what() << std::endl;
    return 1;
}
