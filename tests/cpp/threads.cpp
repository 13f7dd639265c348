/* Calls from threads that do not run the loop. */
#include "check.hpp"

#include <vector>

template <class Body> static void on_threads(int count, Body body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; i++) threads.emplace_back(body, i);
    for (auto &thread : threads) thread.join();
}

static void senders_and_posts() {
    constexpr int threads = 4, each = 500;
    int received = 0, posted = 0; /* only the loops' threads write them */
    std::atomic<bool> all{false};
    libws::loop loop, receiver;
    libws::handlers on, client;
    std::atomic<std::uint64_t> server{0};
    on.on_open = [&](libws::connection conn) { server = conn.id(); };
    client.on_message = [&](libws::connection, const libws::message &) { all = ++received == threads * each; };
    const auto listener = loop.listen(any_port, std::move(on));
    loop.start();
    receiver.start();
    receiver.connect(listener.url(), std::move(client));
    CHECK(wait_until([&] { return server != 0; }));
    on_threads(threads, [&](int) {
        for (int i = 0; i < each; i++) {
            while (libws::connection(server).send("x") == libws::sent::full) std::this_thread::yield();
            loop.post([&, mark = counted()] { posted++; });
        }
    });
    CHECK(wait_until([&] { return all.load(); }));
    loop.free();
    CHECK(posted == threads * each && counted::alive == 0);
}

/* stop() from another thread: when it returns, the lambda has gone. */
static void timers() {
    libws::loop loop;
    loop.start();
    on_threads(4, [&](int) {
        for (int i = 0; i < 50; i++) {
            auto calls = std::make_unique<int>(0);
            const auto beat = loop.every(1ms, [&calls = *calls, mark = counted()] { calls++; });
            if (i % 10 == 0) std::this_thread::sleep_for(3ms);
            CHECK(beat.stop());
            calls.reset();
            const auto once = loop.after(std::chrono::milliseconds(i % 2), [mark = counted()] {});
            if (i % 3 == 0) once.stop(); /* it may have ended */
        }
    });
    CHECK(wait_until([] { return counted::alive == 0; }));
}

/* Listeners and connections made and ended by several threads while the loop is freed by another. */
static void freed_meanwhile() {
    for (int round = 0; round < 20; round++) {
        libws::loop loop;
        std::atomic<int> busy{0};
        loop.start();
        const std::string url = loop.listen(any_port, counting_handlers()).url();
        std::vector<std::thread> threads;
        for (int i = 0; i < 3; i++)
            threads.emplace_back([&, i] {
                try {
                    for (int n = 0; n < 200; n++) {
                        if (i == 0) loop.connect(url, counting_handlers());
                        else if (i == 1) loop.listen(any_port, counting_handlers()).close();
                        else loop.after(1ms, [mark = counted()] {}), loop.post([mark = counted()] {});
                        busy++;
                    }
                } catch (const libws::error &error) {
                    CHECK(error.code() == libws::result::gone);
                }
            });
        wait_until([&] { return busy > 10; });
        loop.free();
        for (auto &thread : threads) thread.join();
        CHECK(counted::alive == 0);
    }
}

int main() {
    check_begin();
    senders_and_posts();
    timers();
    freed_meanwhile();
    return check_end();
}
