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

/* ---- Results (src/capi/results.rs) -------------------------------------------------------- */
enum libws_result {
    LIBWS_OK              = 0,
    LIBWS_PENDING         = 1,   /* queued above high_water: wait for on_drain */
    LIBWS_ERR_INVALID     = -1,  /* NULL, bad struct_size, bad value: see libws_last_error() */
    LIBWS_ERR_GONE        = -2,  /* no such loop, listener, connection, request or timer (any more) */
    LIBWS_ERR_STATE       = -3,  /* not possible in this state, e.g. send after close; [outside] call in a callback */
    LIBWS_ERR_THREAD      = -4,  /* a [loop] call while another thread runs the loop */
    LIBWS_ERR_FULL        = -5,  /* max_buffered reached, nothing was queued */
    LIBWS_ERR_TOO_BIG     = -6,  /* a message or head over its limit */
    LIBWS_ERR_UTF8        = -7,  /* text, a close reason or a name is not UTF-8 */
    LIBWS_ERR_ADDRESS     = -8,  /* bad URL or address, or the name did not resolve */
    LIBWS_ERR_IO          = -9,  /* the system said no: libws_last_os_error() */
    LIBWS_ERR_HANDSHAKE   = -11, /* the peer's HTTP answer was not an upgrade */
    LIBWS_ERR_PROTOCOL    = -12, /* the peer broke RFC 6455 */
    LIBWS_ERR_TIMEOUT     = -13,
    LIBWS_ERR_UNSUPPORTED = -14, /* not on this system, or a newer struct than this library */
    LIBWS_ERR_NOMEM       = -15,
    LIBWS_ERR_INTERNAL    = -99  /* a bug in libws, contained */
};
const char *libws_result_name(int32_t result); /* "LIBWS_ERR_FULL"; "LIBWS_ERR_UNKNOWN"; never NULL, static */
const char *libws_last_error(void);   /* a sentence for this thread's last failure, "" if none; until this thread's next failure */
int32_t     libws_last_os_error(void);/* errno of this thread's last failure, or 0 */

/* ---- Types (types.rs) ----------------------------------------------------------------------- */
typedef uint64_t libws_loop;
typedef uint64_t libws_listener;
typedef uint64_t libws_conn;
typedef uint64_t libws_request;
typedef uint64_t libws_timer;

enum libws_kind { LIBWS_TEXT = 1, LIBWS_BINARY = 2 };
enum libws_ready_state_value { LIBWS_CONNECTING = 0, LIBWS_OPEN = 1, LIBWS_CLOSING = 2, LIBWS_CLOSED = 3 };
enum libws_role { LIBWS_SERVER = 1, LIBWS_CLIENT = 2 };
/* Answers of on_upgrade; 300-599 refuses with that HTTP status; anything else, 0 too, refuses with 500. */
enum libws_upgrade { LIBWS_ACCEPT = 1, LIBWS_DEFER = 2 };
enum libws_log_level { LIBWS_LOG_ERROR = 1, LIBWS_LOG_WARN = 2, LIBWS_LOG_INFO = 3, LIBWS_LOG_DEBUG = 4 };
#define LIBWS_OFF UINT32_MAX     /* switches a numeric setting off */
/* settings flags */
#define LIBWS_KEEP_READING 1     /* go on reading a connection whose own send queue is above high_water */
#define LIBWS_PUBLISH_SKIPS 2    /* publish skips a subscriber at max_buffered instead of closing it with 1013 */

typedef struct libws_message {
    size_t      struct_size;
    int32_t     kind;            /* LIBWS_TEXT (checked UTF-8) or LIBWS_BINARY */
    uint32_t    flags;           /* 0 in this version */
    const void *data;            /* not NUL-terminated; never NULL */
    size_t      len;             /* bytes */
} libws_message;

typedef struct libws_close_info {
    size_t      struct_size;
    int32_t     code;            /* the peer's close code; 1005 none given, 1006 no Close frame */
    int32_t     sent_code;       /* the code that we sent; 1005 an empty Close, 0 no Close frame sent */
    int32_t     error;           /* LIBWS_OK if clean, else why it broke */
    int32_t     was_open;        /* 1 if on_open was called */
    int32_t     was_clean;       /* 1 if both Close frames were exchanged */
    const char *reason;          /* the peer's, UTF-8, NUL-terminated, may be "" */
    size_t      reason_len;
    const char *detail;          /* for logs: "HTTP 403", "no pong for 20000 ms"; never NULL */
    uint64_t    unsent;          /* bytes that were queued and never left */
} libws_close_info;

typedef struct libws_conn_info {
    size_t   struct_size;
    int32_t  role;               /* LIBWS_SERVER or LIBWS_CLIENT */
    int32_t  ready_state;
    int64_t  round_trip_us;      /* of the newest answered heartbeat; -1 none yet */
    uint64_t buffered_amount;    /* bytes */
    libws_listener listener;     /* 0 for a client */
    char     peer[64];           /* "127.0.0.1:40312", "[::1]:80", "unix"; cut to fit */
    char     protocol[64];       /* the chosen subprotocol or ""; cut to fit */
} libws_conn_info;

/* ---- Callbacks (callbacks.rs): every one may be NULL ------------------------------------------ */
typedef struct libws_handlers {
    size_t  struct_size;
    int32_t (*on_upgrade)(libws_request request, void *user); /* NULL accepts; LIBWS_ACCEPT, LIBWS_DEFER or an HTTP status;
                                                                 ignored when libws_accept/libws_respond answered inside */
    void (*on_request)(libws_request request, void *user);    /* plain HTTP on the same port: libws_respond(), now or later */
    void (*on_open)   (libws_conn conn, void *user);
    void (*on_message)(libws_conn conn, const libws_message *message, void *user);
    void (*on_pong)   (libws_conn conn, const void *data, size_t len, void *user); /* every pong but the heartbeat's */
    void (*on_drain)  (libws_conn conn, void *user);          /* after PENDING or FULL: the queue is down to low_water */
    void (*on_close)  (libws_conn conn, const libws_close_info *info, void *user); /* the last call */
    void (*on_listener_close)(libws_listener listener, void *user); /* after its last on_close: user may be freed */
} libws_handlers;

/* ---- Options (options.rs): all optional ---------------------------------------------------------- */
typedef struct libws_settings {      /* both roles; defaults in brackets */
    size_t   struct_size;
    uint32_t flags;                  /* LIBWS_KEEP_READING | LIBWS_PUBLISH_SKIPS */
    uint32_t max_message;            /* bytes [16 MiB]; over it: closed with 1009 */
    uint32_t max_parts;              /* frames of one message [100,000]; over it: 1008 */
    uint32_t high_water;             /* queued bytes [256 KiB]: above it send returns LIBWS_PENDING */
    uint32_t low_water;              /* queued bytes [64 KiB]: on_drain */
    uint32_t max_buffered;           /* queued bytes [1 MiB]: at it send returns LIBWS_ERR_FULL */
    uint32_t heartbeat_ms;           /* ping after this much silence [25,000]; LIBWS_OFF never */
    uint32_t heartbeat_timeout_ms;   /* dead when no answer after this [20,000] */
    uint32_t handshake_timeout_ms;   /* TCP + HTTP, both roles [10,000] */
    uint32_t close_timeout_ms;       /* close handshake [3,000] */
    uint32_t message_timeout_ms;     /* a message unfinished after this must have come at 256 B/s [60,000] */
    uint32_t send_timeout_ms;        /* a send without any progress [30,000] */
} libws_settings;

typedef struct libws_listen_options {
    size_t      struct_size;
    const libws_settings *settings;
    const char *path;                /* only this path upgrades; NULL any */
    const char *protocols;           /* "chat.v2, chat.v1", best first */
    const char *origins;             /* "https://a.example, *"; NULL: same host and port as Host */
    const char *hosts;               /* "chat.example, *"; NULL: a loopback listener takes loopback names, others any */
    const char *headers;             /* added to every 101: "Name: value\r\nName: value\r\n" */
    const char *static_root;         /* plain GET and HEAD are answered with the files of this folder */
    uint32_t    backlog;             /* [1,024] */
    uint32_t    max_connections;     /* [the fd limit minus 64]; more are closed at once */
    uint32_t    max_body;            /* bytes of a plain request's body [1 MiB]; over it: 413 */
    uint32_t    keep_alive_ms;       /* an HTTP connection without a request [15,000] */
    int32_t     reuse_port;          /* 1: SO_REUSEPORT */
    int32_t     fd;                  /* an inherited listening socket (> 0), which the listener then owns; 0 none */
} libws_listen_options;

typedef struct libws_connect_options {
    size_t      struct_size;
    const libws_settings *settings;
    const char *protocols;           /* offered, best first: "chat, superchat" */
    const char *origin;              /* NULL: none is sent */
    const char *headers;             /* "Name: value\r\nName: value\r\n" */
} libws_connect_options;

typedef struct libws_loop_options {
    size_t   struct_size;
    void   (*log)(int32_t level, const char *message, void *user); /* from the loop's thread; peer data is escaped and cut */
    void    *log_user;
    int32_t  log_level;              /* [LIBWS_LOG_WARN] */
} libws_loop_options;

/* ---- Loop (loop.rs) ---------------------------------------------------------------------------------- */
int32_t libws_loop_new(const libws_loop_options *options, libws_loop *out);
int32_t libws_loop_free(libws_loop loop);       /* closes everything (on_close runs), joins; [outside] */
int32_t libws_loop_run(libws_loop loop);        /* until stop, or no listener, connection, timer or post is left; [outside] */
int32_t libws_loop_start(libws_loop loop);      /* a background thread runs it until stop or free */
int32_t libws_loop_run_once(libws_loop loop, int32_t timeout_ms); /* one turn; -1 waits; [loop] [outside] */
int32_t libws_loop_fd(libws_loop loop);         /* readable: call run_once(loop, 0); [loop] */
int32_t libws_loop_timeout(libws_loop loop, int32_t *out_ms); /* ms until it wants to run, -1 never; [loop] */
int32_t libws_loop_stop(libws_loop loop);       /* run returns LIBWS_OK soon; async-signal-safe */
int32_t libws_loop_post(libws_loop loop, void (*fn)(libws_loop loop, void *arg), void *arg); /* fn runs exactly once */

/* ---- Timers (timers.rs) -------------------------------------------------------------------------------- */
int32_t libws_timer_start(libws_loop loop, uint32_t after_ms, uint32_t every_ms, /* every 0: once */
                          void (*fn)(libws_loop loop, libws_timer timer, void *arg), void *arg, libws_timer *out);
int32_t libws_timer_stop(libws_timer timer);    /* after it returns fn is not running and will not run (unless called in fn) */

/* ---- Server and client (endpoints.rs) --------------------------------------------------------------------- */
/* "ws://127.0.0.1:9001", "ws://[::]:0", "ws+unix:/run/a.sock" */
int32_t libws_listen(libws_loop loop, const char *url, const libws_handlers *handlers, void *user,
                     const libws_listen_options *options, libws_listener *out);
int32_t libws_listener_port(libws_listener listener);          /* 1-65535; 0 for a Unix socket */
int32_t libws_listener_url(libws_listener listener, char *out, size_t size); /* "ws://127.0.0.1:9001", NUL-terminated;
                                                                  returns its length; LIBWS_ERR_TOO_BIG if it does not fit */
int32_t libws_listener_close(libws_listener listener);         /* open connections live on */
/* "ws://host:port/path?query", "ws+unix:/run/a.sock", "ws+unix:/run/a.sock:/path" */
int32_t libws_connect(libws_loop loop, const char *url, const libws_handlers *handlers, void *user,
                      const libws_connect_options *options, libws_conn *out);      /* OK: under way */

/* ---- Requests (requests.rs): getters [loop], inside the callback that got the request ------------------------ */
const char *libws_request_method(libws_request request);       /* "GET"; NULL outside its callback */
const char *libws_request_target(libws_request request);       /* "/path?query" */
const char *libws_request_header(libws_request request, const char *name); /* first value, case-insensitive; NULL: none */
const void *libws_request_body(libws_request request, size_t *out_len);    /* never NULL inside on_request */
int32_t libws_request_peer(libws_request request, char *out, size_t size); /* as libws_conn_info.peer */
int32_t libws_request_set_user(libws_request request, void *user);  /* becomes the connection's user when accepted */
int32_t libws_accept(libws_request request, const char *protocol, const char *headers); /* NULL protocol: chosen from options */
int32_t libws_respond(libws_request request, int32_t status, const char *headers, const void *body, size_t len);

/* ---- Connection (connection.rs) --------------------------------------------------------------------------------- */
int32_t libws_send(libws_conn conn, int32_t kind, const void *data, size_t len); /* LIBWS_OK, LIBWS_PENDING, LIBWS_ERR_FULL, ... */
int32_t libws_send_text(libws_conn conn, const char *text);
int32_t libws_ping(libws_conn conn, const void *data, size_t len);   /* at most 125 bytes */
int32_t libws_close(libws_conn conn, int32_t code, const char *reason); /* code 0: an empty Close; reason may be NULL */
int32_t libws_terminate(libws_conn conn);                            /* no Close frame; on_close comes with 1006 */
int32_t libws_pause(libws_conn conn, int32_t paused);                /* 1 stops reading: TCP pushes back; 0 goes on */
int32_t libws_ready_state(libws_conn conn);                          /* LIBWS_CLOSED if gone */
int64_t libws_buffered_amount(libws_conn conn);
int32_t libws_info(libws_conn conn, libws_conn_info *out);           /* set out->struct_size first */
void   *libws_user(libws_conn conn);                                 /* NULL if gone; */
int32_t libws_set_user(libws_conn conn, void *user);

/* ---- Topics (topics.rs) --------------------------------------------------------------------------------------------- */
int32_t libws_subscribe(libws_conn conn, const char *topic);
int32_t libws_unsubscribe(libws_conn conn, const char *topic);
/* to every subscriber but `except` (0: nobody); on the loop's thread returns how many it reached, elsewhere LIBWS_OK */
int32_t libws_publish(libws_loop loop, const char *topic, libws_conn except, int32_t kind, const void *data, size_t len);

/* ---- Version (version.rs) ---------------------------------------------------------------------------------------------- */
#define LIBWS_VERSION_MAJOR 0
#define LIBWS_VERSION_MINOR 1
#define LIBWS_VERSION_PATCH 0
uint32_t    libws_version(void);          /* major << 16 | minor << 8 | patch */
const char *libws_version_string(void);   /* "0.1.0" */
#ifdef __cplusplus
}
#endif
#endif
