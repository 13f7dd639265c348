/* embed_poll [URL]: a program that has an event loop already, here one of poll, takes libws into it. A line typed on
 * stdin goes to everybody; what they send is printed. */
#include <libws.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static libws_loop loop;
static volatile sig_atomic_t ended;

/* The stop also makes the loop's descriptor readable: a signal just before poll is not slept through. */
static void end(int signal_number) {
    (void)signal_number;
    ended = 1;
    libws_loop_stop(loop);
}

static void on_open(libws_conn conn, void *user) {
    (void)user;
    libws_subscribe(conn, "all");
}

static void on_message(libws_conn conn, const libws_message *message, void *user) {
    (void)conn;
    (void)user;
    printf("%.*s\n", (int)message->len, (const char *)message->data);
    fflush(stdout);
}

/* A piece of a line may come alone; it is sent as it comes. 0 at the end of stdin. */
static int read_stdin(void) {
    char text[1024];
    ssize_t len = read(STDIN_FILENO, text, sizeof text);
    if (len <= 0) return 0;
    if (text[len - 1] == '\n') len--;
    if (libws_publish(loop, "all", 0, LIBWS_TEXT, text, (size_t)len) < 0) fprintf(stderr, "%s\n", libws_last_error());
    return 1;
}

/* libws needs two things of a foreign loop: to watch one descriptor, and not to wait longer than it says. */
static int run(void) {
    struct pollfd watched[] = {{.fd = libws_loop_fd(loop), .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    int32_t timeout_ms;
    while (!ended) {
        if (libws_loop_timeout(loop, &timeout_ms) != LIBWS_OK) return 1;
        if (poll(watched, 2, timeout_ms) > 0 && watched[1].revents && !read_stdin())
            watched[1].fd = -1; /* poll leaves it out from now on */
        if (libws_loop_run_once(loop, 0) < 0) return 1;
    }
    return 0;
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    libws_handlers handlers = {.struct_size = sizeof handlers, .on_open = on_open, .on_message = on_message};
    libws_listener listener;
    char real_url[256];

    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_listen(loop, url, &handlers, NULL, NULL, &listener) != LIBWS_OK ||
        libws_listener_url(listener, real_url, sizeof real_url) < 0) {
        fprintf(stderr, "%s\n", libws_last_error());
        return 1;
    }
    printf("listening on %s\n", real_url);
    fflush(stdout);
    signal(SIGINT, end);
    signal(SIGTERM, end);
    int status = run();
    libws_loop_free(loop);
    return status;
}
