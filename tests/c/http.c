/* Plain HTTP on the port of the WebSockets: requests that the application answers, now, later and from elsewhere. */
#include "support.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static libws_loop loop;
static int port;
static char head[4096], body[65536];

/* ---- The application ---- */

static libws_request later;
static atomic_int waiting, served;

/* /echo gives the body back, /later waits, /number counts, everything else is not there. */
static void on_request(libws_request request, void *user) {
    const char *target = libws_request_target(request), *kind = libws_request_header(request, "content-type");
    const char *method = libws_request_method(request);
    size_t len = 99;
    const void *data = libws_request_body(request, &len);
    char text[64];
    (void)user;
    CHECK(target && method && data && libws_request_header(request, "X-Missing") == NULL);
    CHECK(libws_request_peer(request, text, sizeof text) > 10 && strncmp(text, "127.0.0.1:", 10) == 0);
    if (strcmp(target, "/echo") == 0) {
        snprintf(text, sizeof text, "Content-Type: %.20s\r\nX-Method: %.8s\r\n", kind ? kind : "none", method);
        CHECK_EQ(libws_respond(request, 200, text, data, len), LIBWS_OK);
        CHECK_EQ(libws_respond(request, 200, NULL, NULL, 0), LIBWS_ERR_GONE);
    } else if (strcmp(target, "/later") == 0) {
        later = request;
        waiting++;
    } else if (strcmp(target, "/number") == 0) {
        snprintf(text, sizeof text, "%d", served++);
        CHECK_EQ(libws_respond(request, 200, NULL, text, strlen(text)), LIBWS_OK);
    } else {
        CHECK_EQ(libws_respond(request, 404, "X-Why: unknown\r\n", NULL, 0), LIBWS_OK);
    }
}
static const libws_handlers handlers = {.struct_size = sizeof handlers, .on_request = on_request};

#define GET(target) "GET " target " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

static int status_of(int fd) { return peer_reply(fd, head, sizeof head, body, sizeof body); }

/* One request on a connection of its own. */
static int answer_to(const char *request) {
    int fd = peer_connect(port), status;
    CHECK_EQ(peer_ask_for(fd, request), 0);
    status = status_of(fd);
    close(fd);
    return status;
}

/* ---- The checks ---- */

static void bodies(void) {
    int fd = peer_connect(port); /* keep-alive: all of them on one connection */
    CHECK_EQ(peer_ask_for(fd, "POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: a/b\r\nContent-Length: 5\r\n\r\nhello"), 0);
    CHECK(status_of(fd) == 200 && strcmp(body, "hello") == 0);
    CHECK(strstr(head, "Content-Type: a/b\r\n") || strstr(head, "content-type: a/b\r\n"));
    CHECK(strcasestr(head, "x-method: POST\r\n") && strcasestr(head, "\r\nDate: "));
    CHECK_EQ(peer_ask_for(fd, "PUT /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n"), 0);
    CHECK(status_of(fd) == 200 && strcmp(body, "abc0123456789") == 0);
    CHECK_EQ(peer_ask_for(fd, "GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), 0);
    CHECK(status_of(fd) == 200 && body[0] == 0);
    CHECK_EQ(peer_ask_for(fd, "POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"), 0);
    CHECK_EQ(peer_reply(fd, head, sizeof head, NULL, 0), 100);
    CHECK_EQ(peer_ask_for(fd, "ok"), 0);
    CHECK(status_of(fd) == 200 && strcmp(body, "ok") == 0);
    CHECK_EQ(peer_ask_for(fd, "HEAD /echo HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" GET("/nowhere")), 0);
    CHECK_EQ(peer_reply(fd, head, sizeof head, NULL, 0), 200);
    CHECK_EQ(status_of(fd), 404); /* right behind it */
    CHECK(strcasestr(head, "x-why: unknown\r\n") != NULL);
    CHECK_EQ(peer_ask_for(fd, "GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"), 0);
    CHECK_EQ(status_of(fd), 200);
    CHECK(peer_ended(fd, WAIT_MS));
    close(fd);
}

static void pipelined(void) {
    enum { REQUESTS = 1000 };
    static const char one[] = GET("/number");
    static char many[REQUESTS * sizeof one];
    char number[16];
    int fd = peer_connect(port);
    for (size_t i = 0; i < REQUESTS; i++) memcpy(many + i * (sizeof one - 1), one, sizeof one);
    served = 0;
    CHECK_EQ(peer_ask_for(fd, many), 0);
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(number, sizeof number, "%d", i);
        CHECK(status_of(fd) == 200 && strcmp(body, number) == 0);
    }
    close(fd);
}

static void *respond_elsewhere(void *arg) {
    (void)arg;
    CHECK_EQ(libws_respond(later, 201, "X-From: thread\r\n", "late", 4), LIBWS_OK);
    CHECK_EQ(libws_respond(later, 201, NULL, "late", 4), LIBWS_ERR_GONE);
    return NULL;
}
static void respond_posted(libws_loop id, void *arg) {
    (void)id, (void)arg;
    CHECK(libws_request_target(later) == NULL); /* its callback is over */
    CHECK_EQ(libws_respond(later, 202, NULL, NULL, 0), LIBWS_OK);
}

static void answered_later(void) {
    int fd = peer_connect(port);
    pthread_t thread;
    waiting = 0;
    /* The next request on the connection waits for its turn. */
    CHECK_EQ(peer_ask_for(fd, GET("/later") GET("/echo")), 0);
    CHECK(wait_until(&waiting, 1));
    CHECK(!peer_ended(fd, 20));
    pthread_create(&thread, NULL, respond_elsewhere, NULL);
    CHECK(status_of(fd) == 201 && strcmp(body, "late") == 0 && strcasestr(head, "x-from: thread\r\n"));
    CHECK_EQ(status_of(fd), 200);
    pthread_join(thread, NULL);
    CHECK_EQ(peer_ask_for(fd, GET("/later")), 0);
    CHECK(wait_until(&waiting, 2));
    CHECK_EQ(libws_loop_post(loop, respond_posted, NULL), LIBWS_OK);
    CHECK_EQ(status_of(fd), 202);
    CHECK_EQ(peer_ask_for(fd, GET("/later")), 0);
    CHECK(wait_until(&waiting, 3));
    peer_reset(fd); /* the peer does not wait for the answer */
    for (int i = 0; i < WAIT_MS && libws_request_peer(later, body, sizeof body) != LIBWS_ERR_GONE; i++) sleep_ms(1);
    CHECK_EQ(libws_respond(later, 200, NULL, NULL, 0), LIBWS_ERR_GONE);
}

/* Half a request that is not acknowledged at once makes the peer wait for the system's timer, 40 ms. The time that the
 * peer's system has measured for its last segment tells; the shortest of many, since the machine may be busy. */
static void pieces(const char *first, const char *second) {
    enum { TIMES = 20 };
    unsigned shortest = ~0u;
    for (int i = 0; i < TIMES; i++) {
        struct tcp_info info = {0};
        socklen_t size = sizeof info;
        int fd = peer_connect(port), unacknowledged = 1;
        CHECK_EQ(peer_ask_for(fd, first), 0);
        for (int ms = 0; ms < WAIT_MS && ioctl(fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged > 0; ms++) sleep_ms(1);
        CHECK_EQ(unacknowledged, 0);
        CHECK_EQ(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
        if (info.tcpi_rtt < shortest) shortest = info.tcpi_rtt;
        CHECK_EQ(peer_ask_for(fd, second), 0);
        CHECK_EQ(status_of(fd), 200);
        close(fd);
    }
    CHECK(shortest < 3000); /* us: an average, of which the last segment is an eighth */
}

static void refusals(void) {
    static char big[70000];
    CHECK_EQ(answer_to("GET / HTTP/1.1\r\n\r\n"), 400); /* no Host */
    CHECK_EQ(answer_to("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
    CHECK_EQ(answer_to("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 403); /* DNS rebinding */
    CHECK_EQ(answer_to("GET / HTTP/1.1\nHost: 127.0.0.1\n\n"), 400);
    CHECK_EQ(answer_to("GET / HTTP/2.0\r\nHost: 127.0.0.1\r\n\r\n"), 505);
    CHECK_EQ(answer_to("POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 101\r\n\r\n"), 413);
    CHECK_EQ(answer_to("POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: +5\r\n\r\n"), 400);
    CHECK_EQ(answer_to("POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
    CHECK_EQ(answer_to("POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n"), 400);
    CHECK_EQ(answer_to("POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n"), 413);
    strcpy(big, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ");
    memset(big + strlen(big), 'x', 20000);
    CHECK_EQ(answer_to(big), 431);
    strcpy(big, "GET /");
    memset(big + 5, 'x', 9000);
    CHECK_EQ(answer_to(big), 414);
    CHECK_EQ(answer_to("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUnfini"), 408);
    CHECK_EQ(answer_to("POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nhalf"), 408);
    CHECK_EQ(answer_to(GET("/echo")), 200); /* it is still there */
}

/* Nobody answers requests: the port says what it is for. */
static void without_application(void) {
    const libws_handlers none = {.struct_size = sizeof none};
    int fd;
    port = listen_on(loop, &none, NULL, NULL, NULL);
    fd = peer_connect(port);
    CHECK_EQ(peer_ask_for(fd, GET("/")), 0);
    CHECK_EQ(status_of(fd), 426);
    CHECK(strcasestr(head, "upgrade: websocket\r\n") != NULL);
    close(fd);
}

int main(void) {
    const libws_settings hasty = {.struct_size = sizeof hasty, .handshake_timeout_ms = 300};
    const libws_listen_options options = {.struct_size = sizeof options, .settings = &hasty, .max_body = 100};
    check_begin(60);
    loop = new_loop();
    port = listen_on(loop, &handlers, NULL, &options, NULL);
    CHECK_EQ(libws_loop_start(loop), LIBWS_OK);
    bodies();
    pipelined();
    answered_later();
    pieces("GET /echo HTTP/1.1\r\nHo", "st: 127.0.0.1\r\n\r\n");
    pieces("POST /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nhalf", " and half");
    refusals();
    without_application();
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    return check_end();
}
