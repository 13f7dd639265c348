/*
 * libws.h - an embeddable WebSocket client and server (RFC 6455).
 *
 *   loop        an event loop: one thread at a time runs it and every callback of its connections
 *   listener    a listening socket on a loop
 *   connection  one WebSocket, either role, same calls, same callbacks
 *   request     an HTTP request that waits for its answer: an upgrade to decide, or a plain one
 *
 * IDS      Loops, listeners, connections, requests and timers are 64-bit ids, never reused in a
 *          process; 0 is never valid. A call with a dead, foreign or made-up id is safe and
 *          returns LIBWS_ERR_GONE. After fork(), the parent's ids are GONE in the child.
 * EVENTS   Callbacks run on the loop's thread, one at a time, only from libws_loop_run,
 *          libws_loop_run_once, the background thread of libws_loop_start, or libws_loop_free,
 *          never inside another libws call. Any libws call is legal in them, except those marked
 *          [outside]. Every connection gets on_close exactly once, last.
 * MEMORY   Arguments are copied before the call returns and never written to. Pointers handed to
 *          a callback live until that callback returns.
 * THREADS  Every function may be called from any thread, except those marked [loop].
 * RESULTS  0 or more is success, negative is LIBWS_ERR_*.
 * STRUCTS  Zero every option struct and set struct_size. Zero means "the default" in every field.
 *          A longer struct than the library knows is taken when its unknown tail is zero.
 */
#ifndef LIBWS_H
#define LIBWS_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

/* ---- Results ----------------------------------------------------------------------------------------------------- */

/* What every function returns: 0 or more is success, negative is a failure. Numbers are never reused. */
enum libws_result {
    LIBWS_OK              = 0,   /* Done. */
    LIBWS_PENDING         = 1,   /* Queued above high_water: wait for on_drain. */
    LIBWS_ERR_INVALID     = -1,  /* NULL, a bad struct_size, a bad value: see libws_last_error(). */
    LIBWS_ERR_GONE        = -2,  /* No such loop, listener, connection, request or timer (any more). */
    LIBWS_ERR_STATE       = -3,  /* Not possible in this state: a send after close, an [outside] call in a callback. */
    LIBWS_ERR_THREAD      = -4,  /* A [loop] call while another thread runs the loop. */
    LIBWS_ERR_FULL        = -5,  /* max_buffered is reached, nothing was queued. */
    LIBWS_ERR_TOO_BIG     = -6,  /* A message, a head or a buffer over its limit. */
    LIBWS_ERR_UTF8        = -7,  /* Text, a close reason or a name is not UTF-8. */
    LIBWS_ERR_ADDRESS     = -8,  /* A bad URL or address, or the name did not resolve. */
    LIBWS_ERR_IO          = -9,  /* The system said no: libws_last_os_error(). */
    LIBWS_ERR_HANDSHAKE   = -11, /* The peer's HTTP answer was not an upgrade. */
    LIBWS_ERR_PROTOCOL    = -12, /* The peer broke RFC 6455. */
    LIBWS_ERR_TIMEOUT     = -13, /* A deadline passed. */
    LIBWS_ERR_UNSUPPORTED = -14, /* Not on this system, or a newer struct than this library knows. */
    LIBWS_ERR_NOMEM       = -15, /* Memory could not be had. */
    LIBWS_ERR_INTERNAL    = -99, /* A bug in libws, contained. */
};

/* The name of a result, "LIBWS_ERR_FULL", or "LIBWS_ERR_UNKNOWN". Static, never NULL. */
const char *libws_result_name(int32_t result);

/* A sentence for this thread's last failure: "bind 127.0.0.1:80: Permission denied". "" if there was none. It lives
 * until the thread's next failure. */
const char *libws_last_error(void);

int32_t libws_last_os_error(void); /* errno of this thread's last failure, or 0. */

/* ---- Types ------------------------------------------------------------------------------------------------------- */

#define LIBWS_OFF UINT32_MAX /* Switches a numeric setting off: no limit, no deadline, no heartbeat. */

/* A flag of libws_settings: go on reading a connection whose own send queue is above high_water. */
#define LIBWS_KEEP_READING 1

/* A flag of libws_settings: libws_publish() skips a subscriber at max_buffered instead of closing it with 1013. */
#define LIBWS_PUBLISH_SKIPS 2

/* A flag of libws_settings: permessage-deflate (RFC 7692) is offered by a client and accepted by a server. */
#define LIBWS_DEFLATE 4

/* A flag of libws_settings, with LIBWS_DEFLATE: our messages may refer to earlier ones. Smaller messages, and up to
 * 380 KB for each connection that sends; without it all connections of a loop share one compressor. */
#define LIBWS_DEFLATE_TAKEOVER 8

/* A flag of libws_settings, with LIBWS_DEFLATE: the peer's messages may refer to earlier ones. Up to 32 KiB for each
 * connection. */
#define LIBWS_DEFLATE_PEER_TAKEOVER 16

#define LIBWS_UNCOMPRESSED 256 /* Added to the kind of a message that is sent: it is not compressed. */
#define LIBWS_COMPRESSED 2     /* A flag of libws_message: it came compressed. */

/* The kind of a message (RFC 6455 section 5.6). */
enum libws_kind {
    LIBWS_TEXT   = 1, /* UTF-8 text. */
    LIBWS_BINARY = 2, /* Any bytes. */
};

/* What libws_ready_state() returns; the numbers of the browser's readyState. */
enum libws_state {
    LIBWS_CONNECTING = 0, /* The opening handshake is under way. */
    LIBWS_OPEN       = 1, /* Messages flow. */
    LIBWS_CLOSING    = 2, /* The close handshake is under way. */
    LIBWS_CLOSED     = 3, /* It has ended. */
};

/* Which side of a connection we are. */
enum libws_role {
    LIBWS_SERVER = 1, /* We accepted it. */
    LIBWS_CLIENT = 2, /* We opened it. */
};

/* What on_upgrade returns. 300 to 599 refuses with that HTTP status; anything else, 0 too, refuses with 500. */
enum libws_upgrade {
    LIBWS_ACCEPT = 1, /* Switch protocols. */
    LIBWS_DEFER  = 2, /* The answer comes later: libws_accept() or libws_respond(). */
};

/* How much a line of the log matters. */
enum libws_log_level {
    LIBWS_LOG_ERROR = 1, /* Something failed that should not. */
    LIBWS_LOG_WARN  = 2, /* Something was given up to protect the process. */
    LIBWS_LOG_INFO  = 3, /* Something a peer did. */
    LIBWS_LOG_DEBUG = 4, /* Everything else. */
};

typedef uint64_t libws_loop;     /* An event loop. */
typedef uint64_t libws_listener; /* A listening socket. */
typedef uint64_t libws_conn;     /* A WebSocket connection, either role. */
typedef uint64_t libws_request;  /* An HTTP request that waits for its answer. */
typedef uint64_t libws_timer;    /* A timer. */

/* A message that arrived; lives until on_message returns. */
typedef struct libws_message {
    size_t     struct_size; /* Bytes of this struct. */
    int32_t    kind;        /* LIBWS_TEXT (checked UTF-8) or LIBWS_BINARY. */
    uint32_t   flags;       /* LIBWS_COMPRESSED, or 0. */
    const void *data;       /* The payload; not NUL-terminated, never NULL, not to be changed. */
    size_t     len;         /* Bytes of data. */
} libws_message;

/* How a connection ended; lives until on_close returns. */
typedef struct libws_close_info {
    size_t     struct_size; /* Bytes of this struct. */
    int32_t    code;        /* The peer's close code; 1005: its Close had none, 1006: it sent no Close (RFC 6455
                               section 7.1.5). */
    int32_t    sent_code;   /* The code that we sent; 1005: an empty Close, 0: no Close frame sent. */
    int32_t    error;       /* LIBWS_OK, or why it broke. */
    int32_t    was_open;    /* 1 if on_open was called. */
    int32_t    was_clean;   /* 1 if both Close frames were exchanged. */
    const char *reason;     /* The peer's reason: UTF-8, NUL-terminated, may be "". */
    size_t     reason_len;  /* Bytes of reason. */
    const char *detail;     /* A sentence for logs: "HTTP 403", "no pong for 20000 ms". Never NULL. */
    uint64_t   unsent;      /* Bytes that were queued and never left. */
} libws_close_info;

/* What libws_info() tells of a connection. */
typedef struct libws_conn_info {
    size_t         struct_size;     /* Bytes of this struct; set by the caller. */
    int32_t        role;            /* LIBWS_SERVER or LIBWS_CLIENT. */
    int32_t        ready_state;     /* As libws_ready_state(). */
    int64_t        round_trip_us;   /* Of the newest answered heartbeat, in microseconds; -1: none yet. */
    uint64_t       buffered_amount; /* Bytes queued and not yet taken by the system. */
    libws_listener listener;        /* The listener it came from; 0 for a client. */
    char           peer[64];        /* "127.0.0.1:40312", "[::1]:80", "unix"; cut to fit, NUL-terminated. */
    char           protocol[64];    /* The chosen subprotocol, or ""; cut to fit, NUL-terminated. */
    int32_t        deflate;         /* 1 if permessage-deflate was agreed (RFC 7692). */
} libws_conn_info;

/* ---- Callbacks: every one may be NULL ---------------------------------------------------------------------------- */

/* What the application wants to hear of. Every entry may be NULL. The table is copied. user is what libws_listen()
 * or libws_connect() was given, or libws_set_user() set since. */
typedef struct libws_handlers {
    size_t struct_size; /* sizeof(libws_handlers). */
    /* A peer asks for a WebSocket, and path, origin and host are allowed: LIBWS_ACCEPT, LIBWS_DEFER or an HTTP
     * status. What it returns does not count if it called libws_accept() or libws_respond(). NULL accepts. */
    int32_t (*on_upgrade)(libws_request request, void *user);
    /* A plain HTTP request on the same port: libws_respond(), now or later. NULL: such requests get 404 or 426. */
    void (*on_request)(libws_request request, void *user);
    /* The opening handshake is done. */
    void (*on_open)(libws_conn conn, void *user);
    /* A whole message arrived. */
    void (*on_message)(libws_conn conn, const libws_message *message, void *user);
    /* A pong arrived that is not the heartbeat's; at most 125 bytes. */
    void (*on_pong)(libws_conn conn, const void *data, size_t len, void *user);
    /* After LIBWS_PENDING or LIBWS_ERR_FULL: the queue is down to low_water. */
    void (*on_drain)(libws_conn conn, void *user);
    /* The connection ended: exactly once, and the last call for it. Also for a connect that failed. */
    void (*on_close)(libws_conn conn, const libws_close_info *info, void *user);
    /* The listener is closed and its last on_close has returned: its user may be freed now. */
    void (*on_listener_close)(libws_listener listener, void *user);
    /* A client connection with reconnect was lost, or an attempt failed; info tells why. The next attempt comes after
     * after_ms, and on_open again if it succeeds; libws_close() ends it. */
    void (*on_retry)(libws_conn conn, const libws_close_info *info, uint32_t after_ms, void *user);
} libws_handlers;

/* ---- Options: all optional --------------------------------------------------------------------------------------- */

/* Limits and deadlines of connections, both roles. Zero is the default, which stands in brackets. */
typedef struct libws_settings {
    size_t   struct_size;              /* sizeof(libws_settings). */
    uint32_t flags;                    /* LIBWS_KEEP_READING | LIBWS_PUBLISH_SKIPS | LIBWS_DEFLATE |
                                          LIBWS_DEFLATE_TAKEOVER | LIBWS_DEFLATE_PEER_TAKEOVER [0]. */
    uint32_t max_message;              /* Bytes of one received message, after inflating [16 MiB]; over it the
                                          connection is closed with 1009. */
    uint32_t max_parts;                /* Frames of one received message, empty ones too [100,000]; over it: closed
                                          with 1008. */
    uint32_t high_water;               /* Queued bytes above which libws_send() returns LIBWS_PENDING and reading
                                          stops [256 KiB]. */
    uint32_t low_water;                /* Queued bytes at which on_drain comes and reading goes on [64 KiB]. */
    uint32_t max_buffered;             /* Queued bytes at which libws_send() returns LIBWS_ERR_FULL [1 MiB]. */
    uint32_t heartbeat_ms;             /* A ping is sent after this many ms of silence [25,000]; LIBWS_OFF: never. */
    uint32_t heartbeat_timeout_ms;     /* The connection is dead if the ping has no answer after this many ms
                                          [20,000]. */
    uint32_t handshake_timeout_ms;     /* The whole opening: name, TCP and HTTP, in ms [10,000]. */
    uint32_t close_timeout_ms;         /* The close handshake, in ms [3,000]. */
    uint32_t message_timeout_ms;       /* A message unfinished after this many ms must have come at 256 bytes a
                                          second or more [60,000]. */
    uint32_t send_timeout_ms;          /* Queued bytes of which none leaves for this many ms end the connection
                                          [30,000]. */
    uint32_t deflate_level;            /* With LIBWS_DEFLATE: 1, fastest, to 9, smallest [6]. */
    uint32_t deflate_min_bytes;        /* With LIBWS_DEFLATE: shorter messages are not compressed [128 bytes]. */
    uint32_t deflate_window_bits;      /* With LIBWS_DEFLATE: the largest window of our compressor, as a power of
                                          two, 9 to 15 [15]. */
    uint32_t deflate_peer_window_bits; /* With LIBWS_DEFLATE: the same for the peer's compressor [15]; a client that
                                          does not let its window be chosen keeps 15. */
} libws_settings;

/* How to listen. */
typedef struct libws_listen_options {
    size_t               struct_size;     /* sizeof(libws_listen_options). */
    const libws_settings *settings;       /* Limits and deadlines of the connections; NULL: the defaults. */
    const char           *path;           /* Only this path upgrades, others get 404; NULL: any. */
    const char           *protocols;      /* Subprotocols, best first: "chat.v2, chat.v1"; NULL: none. */
    const char           *origins;        /* Allowed origins: "https://a.example, https://b.example" or "*"; NULL:
                                             the same host and port as in Host. A request without Origin does not
                                             come from a browser and is allowed. */
    const char           *hosts;          /* Allowed values of Host: "chat.example" or "*"; NULL: a listener on a
                                             loopback address takes loopback names only (against DNS rebinding), any
                                             other takes any. */
    const char           *headers;        /* Header lines added to every 101: "Name: value\r\n"; NULL: none. */
    const char           *static_root;    /* Plain GET and HEAD requests are answered with the files of this folder;
                                             NULL: none. */
    uint32_t             backlog;         /* Connections that the system holds until they are accepted [1,024]. */
    uint32_t             max_connections; /* Sockets of this listener at one time [the descriptor limit minus 64];
                                             more are closed at once. */
    uint32_t             max_body;        /* Bytes of a plain request's body [1 MiB]; over it the answer is 413. */
    uint32_t             keep_alive_ms;   /* An HTTP connection without a request is closed after this many ms
                                             [15,000]. */
    int32_t              reuse_port;      /* 1: SO_REUSEPORT, several processes or loops share the port. */
    int32_t              fd;              /* A listening socket made elsewhere (> 0), which belongs to the listener
                                             from then on; 0: none. */
} libws_listen_options;

/* How to connect. */
typedef struct libws_connect_options {
    size_t               struct_size;            /* sizeof(libws_connect_options). */
    const libws_settings *settings;              /* Limits and deadlines of the connection; NULL: the defaults. */
    const char           *protocols;             /* Subprotocols to offer, best first; NULL: none. */
    const char           *origin;                /* The Origin header; NULL: none is sent. */
    const char           *headers;               /* Header lines added to the request: "Name: value\r\nName:
                                                    value\r\n"; NULL: none. */
    int32_t              reconnect;              /* 1: when the connection is lost or cannot be made, it is dialled
                                                    again under the same id: on_retry, then on_open once more. It
                                                    ends with libws_close(), with an HTTP answer of 4xx that is not
                                                    about time (401, 403, 404), or with one of reconnect_final_codes.
                                                    0: on_close at once. */
    uint32_t             reconnect_min_ms;       /* The first delay is at most this many ms [500]; it doubles with
                                                    every failed attempt; the delay is a random part of that. The
                                                    server's Retry-After and close codes 1012 and 1013 make it
                                                    longer. */
    uint32_t             reconnect_max_ms;       /* No delay of our own is longer than this many ms [30,000]. */
    uint32_t             reconnect_attempts;     /* Failed attempts in a row after which it is given up [LIBWS_OFF:
                                                    never]. */
    uint32_t             reconnect_stable_ms;    /* A connection that was open for this many ms starts over with the
                                                    first delay [5,000]. */
    uint32_t             offline_queue;          /* Bytes of messages that are kept while the connection is not open,
                                                    and sent after the next on_open; libws_send() then returns
                                                    LIBWS_PENDING. 0: such sends return LIBWS_ERR_STATE. */
    int32_t              offline_drop_oldest;    /* 1: a full offline queue drops its oldest messages; 0: it refuses
                                                    the newest with LIBWS_ERR_FULL. */
    const char           *reconnect_final_codes; /* Close codes of the server after which no attempt is made: "1000,
                                                    4001"; NULL: none. */
} libws_connect_options;

/* How a loop reports about itself. */
typedef struct libws_loop_options {
    size_t   struct_size;    /* sizeof(libws_loop_options). */
    /* Gets one line at a time, on the loop's thread; what peers sent is escaped and cut. NULL: silence. */
    void (*log)(int32_t level, const char *message, void *user);
    void     *log_user;      /* The last argument of log. */
    int32_t  log_level;      /* Lines up to this level, an LIBWS_LOG_* [LIBWS_LOG_WARN]. */
    uint32_t deflate_memory; /* Bytes that the compression of this loop's connections may hold: the compressors of
                                those with LIBWS_DEFLATE_TAKEOVER, and what is remembered of peers' messages [64
                                MiB]. Beyond it connections go without. */
} libws_loop_options;

/* ---- Loop -------------------------------------------------------------------------------------------------------- */

/* Makes a loop and stores its id in *out. Nobody runs it yet. NULL options: the defaults.
 * Errors: LIBWS_ERR_INVALID, LIBWS_ERR_IO (no descriptor left), LIBWS_ERR_UNSUPPORTED. */
int32_t libws_loop_new(const libws_loop_options *options, libws_loop *out);

/* Ends a loop: closes everything, runs every on_close and every post (on the background thread if there is one,
 * otherwise inside this call), joins, and makes all its ids dead. [outside]
 * Errors: LIBWS_ERR_GONE (the second call), LIBWS_ERR_STATE (in a callback, or another thread is in libws_loop_run). */
int32_t libws_loop_free(libws_loop loop);

/* Runs the loop on this thread until libws_loop_stop(), or until no listener, connection, timer or post is left.
 * [outside] Errors: LIBWS_ERR_STATE (in a callback), LIBWS_ERR_THREAD (another thread runs it), LIBWS_ERR_IO. */
int32_t libws_loop_run(libws_loop loop);

/* Runs the loop on a thread of its own until libws_loop_stop() or libws_loop_free().
 * Errors: LIBWS_ERR_STATE (it runs already, or in a callback of this loop), LIBWS_ERR_IO (no thread could be made). */
int32_t libws_loop_start(libws_loop loop);

/* Runs one turn: waits up to timeout_ms (-1: for ever, 0: not at all) and handles what happened. [loop] [outside]
 * Errors: as libws_loop_run(), and LIBWS_ERR_INVALID for a timeout below -1. */
int32_t libws_loop_run_once(libws_loop loop, int32_t timeout_ms);

/* The descriptor that is readable when the loop has something to do: poll it in a loop of your own, together with
 * libws_loop_timeout(), and then call libws_loop_run_once(loop, 0). It belongs to the loop. [loop]
 * Errors: LIBWS_ERR_THREAD (another thread runs it), LIBWS_ERR_UNSUPPORTED (no such descriptor on this system). */
int32_t libws_loop_fd(libws_loop loop);

/* Stores in *out_ms how long the loop may be left alone, in ms; -1: until its descriptor is readable. [loop]
 * Errors: LIBWS_ERR_THREAD (another thread runs it). */
int32_t libws_loop_timeout(libws_loop loop, int32_t *out_ms);

/* Asks the loop to stop soon: libws_loop_run() returns LIBWS_OK, a background thread ends. A loop that does not run
 * stops as soon as it runs. Async-signal-safe. */
int32_t libws_loop_stop(libws_loop loop);

/* Calls fn(loop, arg) on the loop's thread, exactly once, in libws_loop_free() at the latest. */
int32_t libws_loop_post(libws_loop loop, void (*fn)(libws_loop loop, void *arg), void *arg);

/* ---- Timers ------------------------------------------------------------------------------------------------------ */

/* Calls fn(loop, timer, arg) on the loop's thread after after_ms and then, unless it is 0, every every_ms; beats that
 * were missed are left out. *out (may be NULL) gets the timer's id. A one-shot timer is gone when its call returns.
 * From another thread it waits for the loop. */
int32_t libws_timer_start(libws_loop loop, uint32_t after_ms, uint32_t every_ms,
                          void (*fn)(libws_loop loop, libws_timer timer, void *arg), void *arg, libws_timer *out);

/* Stops a timer. When this returns its fn is not running and will not run (unless called inside it, or in a callback
 * of another loop that its fn waits for), so arg may be freed. From another thread it waits for the loop. */
int32_t libws_timer_stop(libws_timer timer);

/* ---- Server and client ------------------------------------------------------------------------------------------- */

/* Listens on url and gives the connections to handlers. *out (may be NULL) gets the listener's id.
 * url: "ws://127.0.0.1:9001", "ws://[::]:0" (any free port), "ws+unix:/run/a.sock". user is handed to every callback.
 * From another thread it waits for the loop. Errors: LIBWS_ERR_ADDRESS (the URL), LIBWS_ERR_IO (bind, listen,
 * static_root), LIBWS_ERR_INVALID (an option, named in libws_last_error()). */
int32_t libws_listen(libws_loop loop, const char *url, const libws_handlers *handlers, void *user,
                     const libws_listen_options *options, libws_listener *out);

int32_t libws_listener_port(libws_listener listener); /* The port it listens on, 1 to 65535; 0 for a Unix socket. */

/* Copies the listener's URL with its real port into out, NUL-terminated, and returns its length without the NUL.
 * Errors: LIBWS_ERR_TOO_BIG if it does not fit into size bytes. */
int32_t libws_listener_url(libws_listener listener, char *out, size_t size);

/* Stops listening. Open connections live on; on_listener_close follows the last on_close. */
int32_t libws_listener_close(libws_listener listener);

/* Begins to connect: LIBWS_OK means that it is under way. *out (may be NULL) gets the connection's id, which is valid
 * at once; on_open or on_close tells what became of it. url: "ws://host:port/path?query", "ws+unix:/run/a.sock",
 * "ws+unix:/run/a.sock:/path". Errors: LIBWS_ERR_ADDRESS (the URL), LIBWS_ERR_INVALID (an option). */
int32_t libws_connect(libws_loop loop, const char *url, const libws_handlers *handlers, void *user,
                      const libws_connect_options *options, libws_conn *out);

/* ---- Requests ---------------------------------------------------------------------------------------------------- */

/* The method, "GET". Lives until the callback returns; NULL outside the request's callback. [loop] */
const char *libws_request_method(libws_request request);

/* The target, "/path?query". Lives until the callback returns; NULL outside the request's callback. [loop] */
const char *libws_request_target(libws_request request);

/* The first value of a header, whatever the case of its name; NULL if there is none. Lives until the callback
 * returns. [loop] */
const char *libws_request_header(libws_request request, const char *name);

/* The body; *out_len gets its bytes. Not NUL-terminated. Lives until the callback returns; NULL outside the request's
 * callback. [loop] */
const void *libws_request_body(libws_request request, size_t *out_len);

/* Copies where the request comes from ("127.0.0.1:40312") into out, NUL-terminated, and returns its length. Errors:
 * LIBWS_ERR_TOO_BIG if it does not fit into size bytes. From another thread it waits for the loop. */
int32_t libws_request_peer(libws_request request, char *out, size_t size);

/* Sets the user that the connection will have if the request is accepted; until then it is the listener's. */
int32_t libws_request_set_user(libws_request request, void *user);

/* Accepts an upgrade; on_open follows. protocol: NULL takes the first of the listener's that was offered, "" none.
 * headers (may be NULL) are added to the 101: "Name: value\r\n". Errors: LIBWS_ERR_GONE (answered before, deadline
 * passed, peer gone), LIBWS_ERR_STATE (a plain request), LIBWS_ERR_INVALID (a header, or a protocol that was not
 * offered). From another thread it waits for the loop. */
int32_t libws_accept(libws_request request, const char *protocol, const char *headers);

/* Answers a request: status 200 to 599, for an upgrade 300 to 599, which refuses it. headers (may be NULL):
 * "Name: value\r\n"; Content-Length, Connection and Date are added. Errors: as libws_accept(). From another thread it
 * waits for the loop. */
int32_t libws_respond(libws_request request, int32_t status, const char *headers, const void *body, size_t len);

/* ---- Connection -------------------------------------------------------------------------------------------------- */

/* Sends a whole message; the bytes are copied. kind is LIBWS_TEXT or LIBWS_BINARY, with LIBWS_UNCOMPRESSED added where
 * compression would tell of a secret (RFC 7692 section 8). Returns LIBWS_OK, or LIBWS_PENDING when the queue is above high_water:
 * then wait for on_drain. Errors: LIBWS_ERR_FULL (nothing was queued), LIBWS_ERR_UTF8 (text that is not UTF-8),
 * LIBWS_ERR_STATE (not open), LIBWS_ERR_GONE, LIBWS_ERR_INVALID, LIBWS_ERR_NOMEM; after each nothing was sent. */
int32_t libws_send(libws_conn conn, int32_t kind, const void *data, size_t len);

/* Sends a NUL-terminated text; otherwise as libws_send(). */
int32_t libws_send_text(libws_conn conn, const char *text);

/* Sends a ping with at most 125 bytes (RFC 6455 section 5.5.2); on_pong brings the answer. The heartbeat pings by
 * itself: this is for your own measurements. */
int32_t libws_ping(libws_conn conn, const void *data, size_t len);

/* Begins the close handshake (RFC 6455 section 7.1.2); on_close follows. code: 1000-1003, 1007-1014, 3000-4999, or 0
 * for an empty Close. reason: at most 123 bytes of UTF-8, may be NULL. While connecting it aborts. Errors:
 * LIBWS_ERR_STATE (closing already: the first close wins), LIBWS_ERR_INVALID, LIBWS_ERR_UTF8, LIBWS_ERR_GONE. */
int32_t libws_close(libws_conn conn, int32_t code, const char *reason);

int32_t libws_terminate(libws_conn conn); /* Ends the connection without a Close frame; on_close follows with 1006. */

/* 1 stops reading, so that TCP pushes back on the peer; 0 goes on. While paused the heartbeat rests. */
int32_t libws_pause(libws_conn conn, int32_t paused);

/* LIBWS_CONNECTING, LIBWS_OPEN, LIBWS_CLOSING or LIBWS_CLOSED, as the browser's readyState; LIBWS_CLOSED if it is gone. */
int32_t libws_ready_state(libws_conn conn);

/* Bytes queued and not yet taken by the system, or a negative LIBWS_ERR_*. */
int64_t libws_buffered_amount(libws_conn conn);

/* Fills *out; set out->struct_size first. From another thread it waits for the loop. */
int32_t libws_info(libws_conn conn, libws_conn_info *out);

void *libws_user(libws_conn conn);                   /* The connection's user; NULL if it is gone. */
int32_t libws_set_user(libws_conn conn, void *user); /* Sets the user that later callbacks of this connection get. */

/* ---- Topics ------------------------------------------------------------------------------------------------------ */

/* Subscribes an open connection to a topic of its loop; twice is the same as once. The name has 1 to 1,024 bytes of
 * UTF-8. Subscriptions end with the connection. */
int32_t libws_subscribe(libws_conn conn, const char *topic);

/* Ends a subscription; if there is none, that is fine. */
int32_t libws_unsubscribe(libws_conn conn, const char *topic);

/* Sends a message to every subscriber of a topic but except (0: to all). On the loop's thread it returns how many it
 * reached, elsewhere LIBWS_OK. kind as for libws_send(); compressed once for each level and window. A subscriber at max_buffered is closed with 1013, or skipped with LIBWS_PUBLISH_SKIPS. */
int32_t libws_publish(libws_loop loop, const char *topic, libws_conn except, int32_t kind, const void *data,
                      size_t len);

/* ---- Version ----------------------------------------------------------------------------------------------------- */

#define LIBWS_VERSION_MAJOR 0 /* The version of this header; libws_version() is that of the library that runs. */
#define LIBWS_VERSION_MINOR 1 /* Minor. */
#define LIBWS_VERSION_PATCH 0 /* Patch. */

uint32_t libws_version(void);           /* major << 16 | minor << 8 | patch. */
const char *libws_version_string(void); /* "0.1.0". Static. */

#ifdef __cplusplus
}
#endif
#endif
