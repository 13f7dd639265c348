/* What every test program here uses: CHECK, bounded waiting, a capture that counts itself. */
#ifndef CHECK_HPP
#define CHECK_HPP
#include <libws.hpp>

#include <atomic>
#include <cstdio>
#include <string>
#include <thread>
#include <unistd.h>

using namespace std::chrono_literals;

inline std::atomic<int> check_passed{0}, check_failed{0}; /* loops on other threads check too */

inline bool check_one(bool good, const char *file, int line, const char *what) {
    (good ? check_passed : check_failed)++;
    if (!good) std::printf("%s:%d: failed: %s\n", file, line, what);
    return good;
}

/* Counts one check; a failed one is shown with its place, and the program goes on. */
#define CHECK(...) check_one(static_cast<bool>(__VA_ARGS__), __FILE__, __LINE__, #__VA_ARGS__)

/* The call throws a libws::error with this code and a sentence. */
#define CHECK_THROWS(expected, ...)                                                                 \
    do {                                                                                            \
        bool check_seen = false;                                                                    \
        try {                                                                                       \
            __VA_ARGS__;                                                                            \
        } catch (const libws::error &check_error) {                                                 \
            check_seen = check_error.code() == (expected) && *check_error.what() != '\0';           \
            if (!check_seen)                                                                        \
                std::printf("%s: %s\n", libws::name(check_error.code()), check_error.what());      \
        }                                                                                           \
        check_one(check_seen, __FILE__, __LINE__, #__VA_ARGS__ " throws " #expected);               \
    } while (0)

/* First in main: a program that hangs is ended. */
inline void check_begin() {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    alarm(120);
}

/* Last in main. */
inline int check_end() {
    std::printf("%d passed, %d failed, 0 skipped\n", check_passed.load(), check_failed.load());
    return check_failed != 0;
}

inline constexpr auto patience = 20s; /* how long anything may take before a test gives it up */

/* Runs turns of the loop until it is so. */
template <class Condition> bool turn_until(const libws::loop &loop, Condition condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition() && std::chrono::steady_clock::now() < end) loop.run_once(20ms);
    return condition();
}

/* Sleeps until it is so, for loops that another thread runs. */
template <class Condition> bool wait_until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(1ms);
    return condition();
}

inline const char any_port[] = "ws://127.0.0.1:0";

/* Capture one by value: alive says how many copies there are, in lambdas that were not destroyed. */
class counted {
  public:
    static inline std::atomic<int> alive{0};
    counted() { alive++; }
    counted(const counted &) { alive++; }
    counted(counted &&) noexcept { alive++; }
    counted &operator=(const counted &) = default;
    ~counted() { alive--; }
    void use() const {}
};

/* All callbacks, each with a capture that counts itself. */
inline libws::handlers counting_handlers() {
    const counted mark;
    libws::handlers on;
    on.on_upgrade = [mark](libws::request) { return mark.use(), libws::decision::accept(); };
    on.on_request = [mark](libws::request asked) { mark.use(), asked.respond(200); };
    on.on_open = [mark](libws::connection) { mark.use(); };
    on.on_message = [mark](libws::connection, const libws::message &) { mark.use(); };
    on.on_pong = [mark](libws::connection, std::string_view) { mark.use(); };
    on.on_drain = [mark](libws::connection) { mark.use(); };
    on.on_close = [mark](libws::connection, const libws::close_info &) { mark.use(); };
    on.on_listener_close = [mark](libws::listener) { mark.use(); };
    on.on_retry = [mark](libws::connection, const libws::close_info &, std::chrono::milliseconds) { mark.use(); };
    on.on_exception = [mark](std::exception_ptr, libws::connection) { mark.use(); };
    return on;
}

#endif
