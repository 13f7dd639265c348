/*
 * libws.hpp - libws.h for C++17: owners, lambdas, exceptions. Header-only; link with -lws.
 *
 *     libws::loop loop;
 *     libws::handlers on;
 *     on.on_message = [](libws::connection conn, const libws::message &message) { conn.send(message); };
 *     loop.listen("ws://127.0.0.1:9001", std::move(on));
 *     loop.run();
 *
 * libws.h is the manual of what happens; this header says only what C++ adds.
 *
 * OWNERS     A loop owns; moving it is fine, copying is not. A connection, listener, request or timer is a small value
 *            to copy and keep: it owns nothing, and its calls are safe when what it names is gone.
 * LIFETIME   Every lambda given to a loop is kept until it cannot be called any more and is destroyed once: handlers of
 *            listen() after on_listener_close, those of connect() after on_close, a post after its call, a timer
 *            after its last call or in stop(). What is left goes when the loop is destroyed, and that runs the last
 *            on_close. So declare what your lambdas refer to before the loop. If listen(), connect(), post(), after()
 *            or every() throws, its lambdas are destroyed at once and were not called.
 * THREADS    As in libws.h: any thread may make any call, except those marked [loop] and [outside]. Lambdas run on the
 *            loop's thread and are destroyed there, in stop(), or where the loop is freed.
 * ERRORS     A mistake or a refusal of the system throws libws::error. What a peer can cause at any moment - the
 *            connection or request is closing or gone, its queue is full - is a return value, so that nobody who leaves
 *            a room breaks a message for the others.
 * EXCEPTIONS One that leaves a lambda stops at the border to C. It goes to on_exception, and then: on_upgrade refuses
 *            with 500, on_request answers 500, any other callback of a connection closes it with 1011. Timers go on.
 */
#ifndef LIBWS_HPP
#define LIBWS_HPP
#include <libws.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>

namespace libws {

/* ---- Results and errors ------------------------------------------------------------------------------------------ */

/* The results of libws.h. */
enum class result : std::int32_t {
    ok          = LIBWS_OK,
    pending     = LIBWS_PENDING,
    invalid     = LIBWS_ERR_INVALID,
    gone        = LIBWS_ERR_GONE,
    state       = LIBWS_ERR_STATE,
    thread      = LIBWS_ERR_THREAD,
    full        = LIBWS_ERR_FULL,
    too_big     = LIBWS_ERR_TOO_BIG,
    utf8        = LIBWS_ERR_UTF8,
    address     = LIBWS_ERR_ADDRESS,
    io          = LIBWS_ERR_IO,
    handshake   = LIBWS_ERR_HANDSHAKE,
    protocol    = LIBWS_ERR_PROTOCOL,
    timeout     = LIBWS_ERR_TIMEOUT,
    unsupported = LIBWS_ERR_UNSUPPORTED,
    no_memory   = LIBWS_ERR_NOMEM,
    internal    = LIBWS_ERR_INTERNAL,
};

/* "LIBWS_ERR_FULL". Static, never NULL. */
inline const char *name(result code) noexcept { return libws_result_name(static_cast<std::int32_t>(code)); }

/* What is thrown: a result, its sentence in what(), and errno. */
class error : public std::runtime_error {
  public:
    error(result code, const std::string &what, int os_error = 0)
        : std::runtime_error(what), code_(code), os_error_(os_error) {}

    /* A failed call's result. */
    result code() const noexcept { return code_; }
    /* errno of the failed call, or 0. */
    int os_error() const noexcept { return os_error_; }

  private:
    result code_;
    int os_error_;
};

namespace detail {

struct owner;

[[noreturn]] inline void fail(std::int32_t code) {
    throw error(static_cast<result>(code), libws_last_error(), libws_last_os_error());
}

/* Throws what failed; anything else is passed on. */
inline std::int32_t check(std::int32_t code) {
    if (code < 0) fail(code);
    return code;
}

/* Whether it was done; false if what was asked has ended or is ending, which is nobody's mistake. */
inline bool done(std::int32_t code) {
    if (code == LIBWS_ERR_GONE || code == LIBWS_ERR_STATE) return false;
    check(code);
    return true;
}

/* A text for C: its NUL is the end, so there may be none inside. */
inline std::string text(std::string_view view, const char *what) {
    if (view.find('\0') != std::string_view::npos)
        throw error(result::invalid, std::string(what) + " has a NUL character inside");
    return std::string(view);
}

/* An option; empty is not set. */
inline const char *option(const std::string &value, const char *what) {
    if (value.find('\0') != std::string::npos)
        throw error(result::invalid, std::string(what) + " has a NUL character inside");
    return value.empty() ? nullptr : value.c_str();
}

/* What copy(buffer, size) writes, however long. */
template <class Copy> std::string copied(Copy copy) {
    std::string buffer(128, '\0');
    std::int32_t len = 0;
    while ((len = copy(&buffer[0], buffer.size())) == LIBWS_ERR_TOO_BIG) buffer.resize(buffer.size() * 2);
    buffer.resize(static_cast<std::size_t>(check(len)));
    return buffer;
}

/* The id of something in libws: copy, compare, hash; 0 names nothing. */
template <class Self> class handle {
  public:
    constexpr handle() noexcept = default;
    constexpr explicit handle(std::uint64_t id) noexcept : id_(id) {}

    /* The id for calls of libws.h. Leave libws_set_user() and libws_request_set_user() alone: user is how a callback
     * finds its lambdas. */
    constexpr std::uint64_t id() const noexcept { return id_; }
    /* Whether it was ever set; not whether it is still alive. */
    constexpr explicit operator bool() const noexcept { return id_ != 0; }

    friend constexpr bool operator==(Self a, Self b) noexcept { return a.id() == b.id(); }
    friend constexpr bool operator!=(Self a, Self b) noexcept { return a.id() != b.id(); }
    friend constexpr bool operator<(Self a, Self b) noexcept { return a.id() < b.id(); }

  private:
    std::uint64_t id_ = 0;
};

/* Its address stands for the type, without RTTI. */
template <class T> inline char type_mark = 0;

/* What the user pointer of a callback points to: the lambdas of a listen() or connect() themselves (then root is this),
 * or the data of one connection, and root leads to the lambdas. */
struct place {
    place *root;
    std::shared_ptr<void> data{};
    const void *type = nullptr;
};

template <class Self> struct hash {
    std::size_t operator()(Self value) const noexcept { return std::hash<std::uint64_t>()(value.id()); }
};

} // namespace detail

/* ---- What callbacks are given ------------------------------------------------------------------------------------ */

/* Switches a numeric setting off. */
inline constexpr std::uint32_t off = LIBWS_OFF;

/* The kind of a message. */
enum class message_kind : std::int32_t { text = LIBWS_TEXT, binary = LIBWS_BINARY };

/* Whether a message may be compressed, where that was agreed (LIBWS_DEFLATE in settings::flags). */
enum class compression : std::int32_t {
    allowed = 0,
    never   = LIBWS_UNCOMPRESSED, /* For one that holds a secret beside what an attacker may choose. */
};

namespace detail {
/* The kind as libws_send() and libws_publish() take it. */
constexpr std::int32_t form(message_kind kind, compression how) noexcept {
    return static_cast<std::int32_t>(kind) | static_cast<std::int32_t>(how);
}
} // namespace detail

/* As the browser's readyState. */
enum class ready_state : std::int32_t {
    connecting = LIBWS_CONNECTING,
    open       = LIBWS_OPEN,
    closing    = LIBWS_CLOSING,
    closed     = LIBWS_CLOSED,
};

/* What became of a message. Only ok and pending mean that it was taken. */
enum class sent : std::int32_t {
    ok,      /* Sent or queued. */
    pending, /* Queued above high_water: wait for on_drain. */
    full,    /* max_buffered is reached, nothing was queued: wait for on_drain. */
    closed,  /* The connection is not open (any more), nothing was queued. */
};

/* A message that arrived; lives until on_message returns. */
struct message {
    message_kind kind = message_kind::text; /* Text is checked UTF-8. */
    std::string_view data{};                /* The payload. */
    bool compressed = false;                /* It came compressed. */

    bool is_text() const noexcept { return kind == message_kind::text; }
};

/* How a connection ended; lives until the callback returns. The fields are those of libws_close_info. */
struct close_info {
    int code;                /* The peer's close code; 1005: its Close had none, 1006: it sent no Close. */
    int sent_code;           /* The code that we sent; 1005: an empty Close, 0: no Close frame sent. */
    result error;            /* result::ok, or why it broke. */
    bool was_open;           /* Whether on_open was called. */
    bool was_clean;          /* Whether both Close frames were exchanged. */
    std::string_view reason; /* The peer's reason. */
    std::string_view detail; /* A sentence for logs: "HTTP 403". */
    std::uint64_t unsent;    /* Bytes that were queued and never left. */
};

/* What connection::info() tells. */
struct connection_info {
    bool is_server;                                       /* Whether we accepted it. */
    ready_state state;                                    /* As connection::state(). */
    std::optional<std::chrono::microseconds> round_trip;  /* Of the newest answered heartbeat. */
    std::uint64_t buffered_amount;                        /* Bytes queued and not yet taken by the system. */
    std::uint64_t listener;                               /* The id of its listener; 0 for a client. */
    std::string peer;                                     /* "127.0.0.1:40312", "unix". */
    std::string protocol;                                 /* The chosen subprotocol, or "". */
    bool deflate;                                         /* permessage-deflate was agreed (RFC 7692). */
};

/* One WebSocket, either role. */
class connection : public detail::handle<connection> {
  public:
    using handle::handle;

    /* Sends a whole message. Throws result::utf8 (text that is not UTF-8) and result::no_memory. */
    sent send(std::string_view data, message_kind kind = message_kind::text,
              compression how = compression::allowed) const {
        switch (const result code = try_send(data, kind, how)) {
        case result::ok: return sent::ok;
        case result::pending: return sent::pending;
        case result::full: return sent::full;
        case result::gone:
        case result::state: return sent::closed;
        default: detail::fail(static_cast<std::int32_t>(code));
        }
    }
    /* The same for one that arrived: conn.send(message) is an echo. */
    sent send(const message &message, compression how = compression::allowed) const {
        return send(message.data, message.kind, how);
    }

    /* The same without exceptions: the result of libws_send(). */
    result try_send(std::string_view data, message_kind kind = message_kind::text,
                    compression how = compression::allowed) const noexcept {
        return static_cast<result>(libws_send(id(), detail::form(kind, how), data.data(), data.size()));
    }

    /* Sends a ping with at most 125 bytes. False if it is not open (any more). Throws result::invalid (too long). */
    bool ping(std::string_view data = {}) const { return detail::done(libws_ping(id(), data.data(), data.size())); }

    /* Begins the close handshake; code 0 sends an empty Close. False if it is closing already or gone. Throws
     * result::invalid (a code that may not be sent, a reason over 123 bytes or with a NUL) and result::utf8. */
    bool close(int code = 1000, std::string_view reason = {}) const {
        return detail::done(libws_close(id(), code, detail::text(reason, "the close reason").c_str()));
    }

    /* Ends it without a Close frame. False if it has ended already. */
    bool terminate() const { return detail::done(libws_terminate(id())); }

    /* Stops reading, so that TCP pushes back on the peer, and goes on. False if it is gone. */
    bool pause() const { return detail::done(libws_pause(id(), 1)); }
    bool resume() const { return detail::done(libws_pause(id(), 0)); }

    /* Where it is in its life; closed if it is gone. */
    ready_state state() const noexcept { return static_cast<ready_state>(libws_ready_state(id())); }
    bool is_open() const noexcept { return state() == ready_state::open; }

    /* Bytes queued and not yet taken by the system; 0 if it is gone. */
    std::uint64_t buffered_amount() const noexcept {
        const std::int64_t bytes = libws_buffered_amount(id());
        return bytes < 0 ? 0 : static_cast<std::uint64_t>(bytes);
    }

    /* More about it; nothing if it is gone. From another thread it waits for the loop. */
    std::optional<connection_info> info() const {
        libws_conn_info raw{};
        raw.struct_size = sizeof raw;
        if (!detail::done(libws_info(id(), &raw))) return std::nullopt;
        connection_info info{raw.role == LIBWS_SERVER,
                             static_cast<ready_state>(raw.ready_state),
                             std::nullopt,
                             raw.buffered_amount,
                             raw.listener,
                             raw.peer,
                             raw.protocol,
                             raw.deflate != 0};
        if (raw.round_trip_us >= 0) info.round_trip = std::chrono::microseconds(raw.round_trip_us);
        return info;
    }

    /* What decision::accept() or request::accept() was given for it; lives until on_close has returned. NULL if there
     * is none, if it is of another type, or if the connection is gone. [loop] */
    template <class T> T *data() const noexcept {
        const auto *place = static_cast<const detail::place *>(libws_user(id()));
        return place && place->type == &detail::type_mark<T> ? static_cast<T *>(place->data.get()) : nullptr;
    }

    /* Subscribes it to a topic of its loop. False if it is not open (any more). Throws result::invalid (a name that is
     * empty, too long or has a NUL) and result::utf8. */
    bool subscribe(std::string_view topic) const {
        return detail::done(libws_subscribe(id(), detail::text(topic, "the topic").c_str()));
    }
    /* Ends that; errors as subscribe(). */
    bool unsubscribe(std::string_view topic) const {
        return detail::done(libws_unsubscribe(id(), detail::text(topic, "the topic").c_str()));
    }
};

/* A listening socket. */
class listener : public detail::handle<listener> {
  public:
    using handle::handle;

    /* The port, 1 to 65535; 0 for a Unix socket. Throws result::gone. */
    int port() const { return detail::check(libws_listener_port(id())); }

    /* Its URL with the real port. Throws result::gone. */
    std::string url() const {
        return detail::copied([this](char *out, std::size_t size) { return libws_listener_url(id(), out, size); });
    }

    /* Stops listening; open connections live on, and on_listener_close follows the last. False if it is gone. */
    bool close() const { return detail::done(libws_listener_close(id())); }
};

/* An HTTP request that waits for its answer. Keep a copy to answer later. */
class request : public detail::handle<request> {
  public:
    using handle::handle;
    request(libws_request id, detail::place *root) noexcept : handle(id), root_(root) {}

    /* "GET", "/path?query", the body: they live until the request's callback returns; empty outside it. [loop] */
    std::string_view method() const noexcept { return view(libws_request_method(id())); }
    std::string_view target() const noexcept { return view(libws_request_target(id())); }
    std::string_view body() const noexcept {
        std::size_t len = 0;
        const void *data = libws_request_body(id(), &len);
        return data ? std::string_view(static_cast<const char *>(data), len) : std::string_view();
    }

    /* The first value of a header, whatever the case of its name; lives as the others. [loop] */
    std::optional<std::string_view> header(std::string_view name) const {
        const char *value = libws_request_header(id(), detail::text(name, "the header's name").c_str());
        return value ? std::optional<std::string_view>(value) : std::nullopt;
    }

    /* Where it comes from; "" if it is gone. From another thread it waits for the loop. */
    std::string peer() const {
        try {
            return detail::copied([this](char *out, std::size_t size) { return libws_request_peer(id(), out, size); });
        } catch (const error &error) {
            if (error.code() != result::gone) throw;
            return {};
        }
    }

    /* Accepts an upgrade. protocol: nothing takes the first of the listener's that was offered, "" none. headers:
     * "Name: value\r\n". False if it was answered before or is gone. Throws result::state (a plain request) and
     * result::invalid (a header, or a protocol that was not offered). From another thread it waits for the loop. */
    bool accept(std::optional<std::string_view> protocol = std::nullopt, std::string_view headers = {}) const {
        const std::string name = detail::text(protocol.value_or(""), "the subprotocol");
        const std::string lines = detail::text(headers, "headers");
        return answered(libws_accept(id(), protocol ? name.c_str() : nullptr, lines.c_str()));
    }

    /* The same, and connection::data() gives the data to every callback of the connection. [loop] */
    template <class T>
    bool accept(std::shared_ptr<T> data, std::optional<std::string_view> protocol = std::nullopt,
                std::string_view headers = {}) const {
        static_assert(!std::is_const_v<T>, "connection::data() gives a T *");
        return accept_with({root_, std::move(data), &detail::type_mark<T>}, protocol, headers);
    }

    /* Answers with a status of 200 to 599; an upgrade is refused, with 300 to 599. Otherwise as accept(). */
    bool respond(int status, std::string_view body = {}, std::string_view headers = {}) const {
        const std::string lines = detail::text(headers, "headers");
        return answered(libws_respond(id(), status, lines.c_str(), body.data(), body.size()));
    }

  private:
    friend struct detail::owner;

    bool accept_with(detail::place place, std::optional<std::string_view> protocol, std::string_view headers) const {
        if (!root_) throw error(result::invalid, "only a request that a callback was given can be accepted with data");
        auto data = std::make_unique<detail::place>(std::move(place));
        if (!answered(libws_request_set_user(id(), data.get()))) return false;
        try {
            if (!accept(protocol, headers)) return false;
        } catch (...) {
            libws_request_set_user(id(), root_); /* it still waits, for a better answer */
            throw;
        }
        data.release(); /* on_close has it */
        return true;
    }

    static std::string_view view(const char *text) noexcept { return text ? text : std::string_view(); }
    static bool answered(std::int32_t code) { return code != LIBWS_ERR_GONE && (detail::check(code), true); }

    detail::place *root_ = nullptr;
};

/* What on_upgrade decides. */
class decision {
  public:
    /* Switch protocols. */
    static decision accept() noexcept { return decision(LIBWS_ACCEPT); }
    /* Switch protocols, and connection::data() gives the data to every callback of the connection. */
    template <class T> static decision accept(std::shared_ptr<T> data) noexcept {
        static_assert(!std::is_const_v<T>, "connection::data() gives a T *");
        decision made(LIBWS_ACCEPT);
        made.data_ = std::move(data);
        made.type_ = &detail::type_mark<T>;
        return made;
    }
    /* The answer comes later: request::accept() or respond(). */
    static decision defer() noexcept { return decision(LIBWS_DEFER); }
    /* Refuse with an HTTP status of 300 to 599; anything else refuses with 500. */
    static decision refuse(int status) noexcept { return decision(status < 300 ? 500 : status); }

    /* The number that libws.h has for it. */
    std::int32_t value() const noexcept { return value_; }

  private:
    friend struct detail::owner;
    explicit decision(std::int32_t value) noexcept : value_(value) {}

    std::int32_t value_;
    std::shared_ptr<void> data_{};
    const void *type_ = nullptr;
};

/* What the application wants to hear of; every one may be empty. When each is called: libws_handlers in libws.h. */
struct handlers {
    std::function<decision(request)> on_upgrade{};                      /* Empty accepts. */
    std::function<void(request)> on_request{};                          /* Empty: plain requests get 404 or 426. */
    std::function<void(connection)> on_open{};                          /* The opening handshake is done. */
    std::function<void(connection, const message &)> on_message{};      /* A whole message arrived. */
    std::function<void(connection, std::string_view)> on_pong{};        /* A pong that is not the heartbeat's. */
    std::function<void(connection)> on_drain{};                         /* After sent::pending or sent::full. */
    std::function<void(connection, const close_info &)> on_close{};     /* Exactly once, and last. */
    std::function<void(listener)> on_listener_close{};                  /* After it all lambdas here are destroyed. */
    std::function<void(connection, const close_info &, std::chrono::milliseconds)> on_retry{}; /* With reconnect. */

    /* An exception left one of the others; the connection is empty where there was none. It may close the connection
     * with a code of its own: the first close wins. Empty: loop_options::on_exception. What it throws is dropped. */
    std::function<void(std::exception_ptr, connection)> on_exception{};
};

/* ---- Options ----------------------------------------------------------------------------------------------------- */

/* The fields of libws_settings, struct_size filled in, the others 0: the defaults. */
struct settings : libws_settings {
    settings() noexcept : libws_settings() { struct_size = sizeof(libws_settings); }
};

/* How to listen: libws_listen_options. An empty text and a 0 are the defaults. */
struct listen_options {
    libws::settings settings{};
    std::string path{};
    std::string protocols{};
    std::string origins{};
    std::string hosts{};
    std::string headers{};
    std::string static_root{};
    std::uint32_t backlog = 0;
    std::uint32_t max_connections = 0;
    std::uint32_t max_body = 0;
    std::uint32_t keep_alive_ms = 0;
    bool reuse_port = false;
    int fd = 0; /* Belongs to the listener once listen() has returned. */
};

/* How to connect: libws_connect_options. An empty text and a 0 are the defaults. */
struct connect_options {
    libws::settings settings{};
    std::string protocols{};
    std::string origin{};
    std::string headers{};
    bool reconnect = false;
    std::uint32_t reconnect_min_ms = 0;
    std::uint32_t reconnect_max_ms = 0;
    std::uint32_t reconnect_attempts = 0;
    std::uint32_t reconnect_stable_ms = 0;
    std::uint32_t offline_queue = 0;
    bool offline_drop_oldest = false;
    std::string reconnect_final_codes{};
};

/* How much a line of the log matters. */
enum class log_level : std::int32_t {
    error = LIBWS_LOG_ERROR,
    warn  = LIBWS_LOG_WARN,
    info  = LIBWS_LOG_INFO,
    debug = LIBWS_LOG_DEBUG,
};

/* How a loop reports about itself. */
struct loop_options {
    std::function<void(log_level, std::string_view)> log{};      /* One line at a time, on the loop's thread. */
    log_level level = log_level::warn;                           /* Lines up to this level. */
    std::function<void(std::exception_ptr)> on_exception{};      /* One left a post, a timer, the log, or handlers
                                                                    without on_exception. Empty: it is dropped. */
    std::uint32_t deflate_memory = 0;                            /* As in libws_loop_options. */
};

/* ---- Behind the border to C -------------------------------------------------------------------------------------- */

class timer;

namespace detail {

/* A function given to post(). */
struct posted {
    virtual ~posted() = default;
    virtual void run() = 0;
};

class timer_set;

/* A function given to after() or every(). Its timer_set and its running call share it. */
struct timed : std::enable_shared_from_this<timed> {
    virtual ~timed() = default;
    virtual void run(const timer &self) = 0;

    std::weak_ptr<timer_set> home{};
    struct core *core = nullptr;
    bool once = true;
};

/* The timers that may still be called. */
class timer_set {
  public:
    void add(std::shared_ptr<timed> call) {
        const std::lock_guard<std::mutex> lock(mutex_);
        calls_.insert(std::move(call));
    }
    /* Forgets one. Its lambda is destroyed by the last who shares it, outside the lock: it may make any call. */
    void remove(const std::shared_ptr<timed> &call) {
        const std::lock_guard<std::mutex> lock(mutex_);
        calls_.erase(call);
    }
    void clear() {
        std::unordered_set<std::shared_ptr<timed>> last;
        const std::lock_guard<std::mutex> lock(mutex_);
        last.swap(calls_); /* destroyed after the lock, which was made later */
    }

  private:
    std::mutex mutex_{};
    std::unordered_set<std::shared_ptr<timed>> calls_{};
};

/* What a loop's callbacks need of it; stays where it is when the loop moves. */
struct core {
    explicit core(loop_options given) : options(std::move(given)) {}

    loop_options options;
    std::shared_ptr<timer_set> timers = std::make_shared<timer_set>();

    /* Tells of the exception that is being handled. */
    void report() const noexcept {
        try {
            if (options.on_exception) options.on_exception(std::current_exception());
        } catch (...) { /* nobody is left to tell */
        }
    }

    static void log(std::int32_t level, const char *line, void *user) noexcept {
        const core &self = *static_cast<const core *>(user);
        try {
            self.options.log(static_cast<log_level>(level), line);
        } catch (...) {
            self.report();
        }
    }
};

/* The lambdas of one listen() or connect(), until the last call is over. */
struct owner : place {
    owner(handlers given, const core *of) : place{this}, on(std::move(given)), loop(of) {}
    owner(const owner &) = delete;
    owner &operator=(const owner &) = delete;

    handlers on;
    const core *loop;

    /* What C hands to the callbacks. */
    void *user() noexcept { return static_cast<place *>(this); }
    static owner &of(void *user) noexcept { return *static_cast<owner *>(static_cast<place *>(user)->root); }

    /* Tells of the exception that is being handled. */
    void report(connection conn) const noexcept {
        if (!on.on_exception) return loop->report();
        try {
            on.on_exception(std::current_exception(), conn);
        } catch (...) { /* nobody is left to tell */
        }
    }

    /* A callback of a connection; an exception closes it. */
    template <class Call> void call(libws_conn conn, const Call &callback) const noexcept {
        try {
            callback(connection(conn));
        } catch (...) {
            report(connection(conn));
            libws_close(conn, 1011, "");
        }
    }

    static close_info view(const libws_close_info &info) noexcept {
        return {info.code,           info.sent_code,      static_cast<result>(info.error),
                info.was_open != 0,  info.was_clean != 0, std::string_view(info.reason, info.reason_len),
                info.detail,         info.unsent};
    }

    static std::int32_t upgrade(libws_request asked, void *user) noexcept {
        try {
            const request guest(asked, &of(user));
            const decision made = of(user).on.on_upgrade(guest);
            if (made.type_) guest.accept_with({&of(user), made.data_, made.type_}, std::nullopt, {});
            return made.value();
        } catch (...) {
            of(user).report(connection());
            return 500;
        }
    }
    static void plain_request(libws_request asked, void *user) noexcept {
        try {
            of(user).on.on_request(request(asked, &of(user)));
        } catch (...) {
            of(user).report(connection());
            libws_respond(asked, 500, nullptr, nullptr, 0);
        }
    }
    static void open(libws_conn conn, void *user) noexcept { of(user).call(conn, of(user).on.on_open); }
    static void got_message(libws_conn conn, const libws_message *raw, void *user) noexcept {
        const message got{static_cast<message_kind>(raw->kind),
                          std::string_view(static_cast<const char *>(raw->data), raw->len),
                          (raw->flags & LIBWS_COMPRESSED) != 0};
        of(user).call(conn, [&](connection self) { of(user).on.on_message(self, got); });
    }
    static void pong(libws_conn conn, const void *data, std::size_t len, void *user) noexcept {
        const std::string_view got(static_cast<const char *>(data), len);
        of(user).call(conn, [&](connection self) { of(user).on.on_pong(self, got); });
    }
    static void drain(libws_conn conn, void *user) noexcept { of(user).call(conn, of(user).on.on_drain); }
    static void retry(libws_conn conn, const libws_close_info *info, std::uint32_t after_ms, void *user) noexcept {
        of(user).call(conn, [&](connection self) {
            of(user).on.on_retry(self, view(*info), std::chrono::milliseconds(after_ms));
        });
    }
    void closed(libws_conn conn, const libws_close_info *info) const noexcept {
        if (!on.on_close) return;
        try {
            on.on_close(connection(conn), view(*info));
        } catch (...) {
            report(connection(conn));
        }
    }
    /* The last call for a listener's connection: its data goes. */
    static void server_closed(libws_conn conn, const libws_close_info *info, void *user) noexcept {
        of(user).closed(conn, info);
        auto *const last = static_cast<place *>(user);
        if (last == last->root) return;
        libws_set_user(conn, last->root); /* the data's destructor may still ask the connection */
        delete last;
    }
    /* The last call for a client connection. */
    static void client_closed(libws_conn conn, const libws_close_info *info, void *user) noexcept {
        const std::unique_ptr<owner> last(&of(user));
        last->closed(conn, info);
        libws_set_user(conn, nullptr);
    }
    /* The last call for a listener. */
    static void listener_closed(libws_listener ended, void *user) noexcept {
        const std::unique_ptr<owner> last(&of(user));
        if (!last->on.on_listener_close) return;
        try {
            last->on.on_listener_close(listener(ended));
        } catch (...) {
            last->report(connection());
        }
    }

    /* The callbacks that are wanted, as C knows them. */
    libws_handlers table() const noexcept {
        libws_handlers table{};
        table.struct_size = sizeof table;
        if (on.on_upgrade) table.on_upgrade = upgrade;
        if (on.on_request) table.on_request = plain_request;
        if (on.on_open) table.on_open = open;
        if (on.on_message) table.on_message = got_message;
        if (on.on_pong) table.on_pong = pong;
        if (on.on_drain) table.on_drain = drain;
        if (on.on_retry) table.on_retry = retry;
        return table;
    }
};

} // namespace detail

/* ---- Timers ------------------------------------------------------------------------------------------------------ */

/* A timer; owns nothing, stop() it through any copy. */
class timer {
  public:
    timer() noexcept = default;
    timer(libws_timer id, std::weak_ptr<detail::timed> call) noexcept : id_(id), call_(std::move(call)) {}

    /* The id for calls of libws.h; libws_timer_stop() with it keeps the lambda until the loop is freed. */
    libws_timer id() const noexcept { return id_; }

    /* Stops it. When this returns its lambda is not running and is destroyed (inside its own call: after it). False
     * if it had ended. From another thread it waits for the loop. */
    bool stop() const {
        if (!detail::done(libws_timer_stop(id_))) return false;
        if (const auto call = call_.lock())
            if (const auto home = call->home.lock()) home->remove(call);
        return true;
    }

  private:
    libws_timer id_ = 0;
    std::weak_ptr<detail::timed> call_{};
};

/* ---- Loop -------------------------------------------------------------------------------------------------------- */

/* An event loop. The calls of a loop that was moved from throw result::gone. */
class loop {
  public:
    /* Throws result::io (no descriptor left). */
    explicit loop(loop_options options = {}) : core_(std::make_unique<detail::core>(std::move(options))) {
        libws_loop_options raw{};
        raw.struct_size = sizeof raw;
        raw.log_level = static_cast<std::int32_t>(core_->options.level);
        if (core_->options.log) raw.log = detail::core::log;
        raw.log_user = core_.get();
        raw.deflate_memory = core_->options.deflate_memory;
        detail::check(libws_loop_new(&raw, &id_));
    }
    loop(loop &&other) noexcept : id_(std::exchange(other.id_, 0)), core_(std::move(other.core_)) {}
    loop &operator=(loop &&other) noexcept {
        if (this != &other) {
            end();
            id_ = std::exchange(other.id_, 0);
            core_ = std::move(other.core_);
        }
        return *this;
    }
    loop(const loop &) = delete;
    loop &operator=(const loop &) = delete;

    /* As free(). In a callback or while another thread is in run() a loop cannot be freed: then it is given up, and it
     * and its lambdas live as long as the process. */
    ~loop() { end(); }

    /* Ends it before its time: closes everything, runs every on_close and every post, destroys every lambda.
     * [outside] Throws result::gone (the second call) and result::state (in a callback, another thread is in run()). */
    void free() {
        detail::check(libws_loop_free(id_));
        core_->timers->clear();
    }

    /* The id for calls of libws.h; 0 after it was moved from. */
    libws_loop id() const noexcept { return id_; }

    /* Runs on this thread until stop(), or until no listener, connection, timer or post is left. [outside]
     * Throws result::state (in a callback), result::thread (another thread runs it) and result::io. */
    void run() const { detail::check(libws_loop_run(id_)); }

    /* Runs one turn: waits up to this long (-1 ms: for ever) and handles what happened. [loop] [outside]
     * Errors as run(). */
    void run_once(std::chrono::milliseconds timeout) const {
        using rep = std::chrono::milliseconds::rep; /* -2 and below are refused there */
        const rep ms = std::clamp<rep>(timeout.count(), -2, INT32_MAX);
        detail::check(libws_loop_run_once(id_, static_cast<std::int32_t>(ms)));
    }

    /* Runs on a thread of its own until stop() or free(). Throws result::state (it runs already) and result::io. */
    void start() const { detail::check(libws_loop_start(id_)); }

    /* Asks it to stop soon; false if it is gone. Async-signal-safe. */
    bool stop() const noexcept { return libws_loop_stop(id_) == LIBWS_OK; }

    /* To poll it in a loop of your own, see libws_loop_fd() and libws_loop_timeout(). timeout: -1 ms means until fd is
     * readable. [loop] Throw result::thread (another thread runs it); fd() also result::unsupported. */
    int fd() const { return detail::check(libws_loop_fd(id_)); }
    std::chrono::milliseconds timeout() const {
        std::int32_t ms = 0;
        detail::check(libws_loop_timeout(id_, &ms));
        return std::chrono::milliseconds(ms);
    }

    /* Listens on "ws://127.0.0.1:9001", "ws://[::]:0", "ws+unix:/run/a.sock". From another thread it waits for the
     * loop. Throws result::address, result::io (bind, listen, static_root), result::invalid (an option). */
    listener listen(std::string_view url, handlers on, const listen_options &options = {}) const {
        auto owner = own(std::move(on));
        libws_handlers table = owner->table();
        table.on_close = detail::owner::server_closed;
        table.on_listener_close = detail::owner::listener_closed;
        libws_listen_options raw{};
        raw.struct_size = sizeof raw;
        raw.settings = &options.settings;
        raw.path = detail::option(options.path, "path");
        raw.protocols = detail::option(options.protocols, "protocols");
        raw.origins = detail::option(options.origins, "origins");
        raw.hosts = detail::option(options.hosts, "hosts");
        raw.headers = detail::option(options.headers, "headers");
        raw.static_root = detail::option(options.static_root, "static_root");
        raw.backlog = options.backlog;
        raw.max_connections = options.max_connections;
        raw.max_body = options.max_body;
        raw.keep_alive_ms = options.keep_alive_ms;
        raw.reuse_port = options.reuse_port ? 1 : 0;
        raw.fd = options.fd;
        libws_listener id = 0;
        detail::check(libws_listen(id_, detail::text(url, "url").c_str(), &table, owner->user(), &raw, &id));
        owner.release(); /* on_listener_close has it, perhaps already */
        return listener(id);
    }

    /* Begins to connect to "ws://host:port/path", "ws+unix:/run/a.sock:/path"; on_open or on_close tells what became
     * of it. Throws result::address (the URL) and result::invalid (an option). */
    connection connect(std::string_view url, handlers on, const connect_options &options = {}) const {
        auto owner = own(std::move(on));
        libws_handlers table = owner->table();
        table.on_close = detail::owner::client_closed;
        libws_connect_options raw{};
        raw.struct_size = sizeof raw;
        raw.settings = &options.settings;
        raw.protocols = detail::option(options.protocols, "protocols");
        raw.origin = detail::option(options.origin, "origin");
        raw.headers = detail::option(options.headers, "headers");
        raw.reconnect = options.reconnect ? 1 : 0;
        raw.reconnect_min_ms = options.reconnect_min_ms;
        raw.reconnect_max_ms = options.reconnect_max_ms;
        raw.reconnect_attempts = options.reconnect_attempts;
        raw.reconnect_stable_ms = options.reconnect_stable_ms;
        raw.offline_queue = options.offline_queue;
        raw.offline_drop_oldest = options.offline_drop_oldest ? 1 : 0;
        raw.reconnect_final_codes = detail::option(options.reconnect_final_codes, "reconnect_final_codes");
        libws_conn id = 0;
        detail::check(libws_connect(id_, detail::text(url, "url").c_str(), &table, owner->user(), &raw, &id));
        owner.release(); /* on_close has it, perhaps already */
        return connection(id);
    }

    /* Calls function() on the loop's thread, exactly once, in free() at the latest. */
    template <class Function> void post(Function function) const {
        const auto core = alive();
        auto call = std::make_unique<posted_call<Function>>(std::move(function), core);
        detail::check(libws_loop_post(id_, run_posted, static_cast<detail::posted *>(call.get())));
        call.release(); /* run_posted has it, perhaps already */
    }

    /* Calls function() or function(timer) on the loop's thread once, after this long. From another thread it waits for
     * the loop. Throws result::invalid (a time below 0 or over 49 days). */
    template <class Function> timer after(std::chrono::milliseconds time, Function function) const {
        return start_timer(milliseconds(time), 0, std::move(function));
    }

    /* Calls it every time this long has passed; beats that were missed are left out. Errors as after(), and a time
     * of 0. */
    template <class Function> timer every(std::chrono::milliseconds time, Function function) const {
        if (time.count() == 0) throw error(result::invalid, "a timer cannot repeat every 0 ms");
        return start_timer(milliseconds(time), milliseconds(time), std::move(function));
    }

    /* Sends a message to every subscriber of a topic but one. Returns how many it reached if this is the loop's thread,
     * otherwise 0. Throws result::utf8 and result::invalid (a bad name). */
    std::size_t publish(std::string_view topic, std::string_view data, message_kind kind = message_kind::text,
                        connection except = {}, compression how = compression::allowed) const {
        const std::string name = detail::text(topic, "the topic");
        return static_cast<std::size_t>(detail::check(
            libws_publish(id_, name.c_str(), except.id(), detail::form(kind, how), data.data(), data.size())));
    }

  private:
    template <class Function> struct posted_call final : detail::posted {
        posted_call(Function given, const detail::core *of) : function(std::move(given)), core(of) {}
        void run() override {
            try {
                function();
            } catch (...) {
                core->report();
            }
        }
        Function function;
        const detail::core *core;
    };

    template <class Function> struct timed_call final : detail::timed {
        explicit timed_call(Function given) : function(std::move(given)) {}
        void run(const timer &self) override {
            if constexpr (std::is_invocable_v<Function &, const timer &>) function(self);
            else function();
        }
        Function function;
    };

    static void run_posted(libws_loop, void *arg) noexcept {
        const std::unique_ptr<detail::posted> call(static_cast<detail::posted *>(arg));
        call->run();
    }

    static void run_timed(libws_loop, libws_timer id, void *arg) noexcept {
        /* Keeps the lambda while it runs, whatever is stopped meanwhile. */
        const auto call = static_cast<detail::timed *>(arg)->shared_from_this();
        try {
            call->run(timer(id, call));
        } catch (...) {
            call->core->report();
        }
        if (call->once) call->core->timers->remove(call);
    }

    template <class Function>
    timer start_timer(std::uint32_t after_ms, std::uint32_t every_ms, Function function) const {
        const auto core = alive();
        const std::shared_ptr<detail::timed> call = std::make_shared<timed_call<Function>>(std::move(function));
        call->home = core->timers;
        call->core = core;
        call->once = every_ms == 0;
        core->timers->add(call); /* before it starts: it may have ended before this thread goes on */
        libws_timer id = 0;
        const std::int32_t code = libws_timer_start(id_, after_ms, every_ms, run_timed, call.get(), &id);
        if (code < 0) {
            core->timers->remove(call);
            detail::fail(code);
        }
        return timer(id, call);
    }

    static std::uint32_t milliseconds(std::chrono::milliseconds time) {
        if (time.count() < 0 || time.count() > std::chrono::milliseconds::rep{UINT32_MAX})
            throw error(result::invalid, "a timer's time is 0 to 4294967295 ms");
        return static_cast<std::uint32_t>(time.count());
    }

    detail::core *alive() const {
        if (!core_) throw error(result::gone, "the loop was moved from");
        return core_.get();
    }

    std::unique_ptr<detail::owner> own(handlers on) const {
        return std::unique_ptr<detail::owner>(new detail::owner(std::move(on), alive()));
    }

    void end() noexcept {
        if (!core_) return;
        /* Not freed: its callbacks still come, and need it. */
        if (libws_loop_free(id_) == LIBWS_ERR_STATE) core_.release();
        else core_->timers->clear();
    }

    libws_loop id_ = 0;
    std::unique_ptr<detail::core> core_;
};

} // namespace libws

template <> struct std::hash<libws::connection> : libws::detail::hash<libws::connection> {};
template <> struct std::hash<libws::listener> : libws::detail::hash<libws::listener> {};
template <> struct std::hash<libws::request> : libws::detail::hash<libws::request> {};

#endif
