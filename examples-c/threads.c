/* threads [URL]: eight threads send on one connection, 100 messages each. libws_send may be called from any thread:
 * messages are never mixed, and those of one thread arrive in its order. */
#include "serve.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define THREADS 8
#define MESSAGES 100

struct worker {
    pthread_t thread;
    libws_conn conn;
    int number, started;
};

/* A full queue takes nothing: wait and try again. Any other error means that the connection has ended. */
static int send_patiently(libws_conn conn, const char *text) {
    const struct timespec a_moment = {.tv_nsec = 1000000};
    int32_t result;
    while ((result = libws_send_text(conn, text)) == LIBWS_ERR_FULL) nanosleep(&a_moment, NULL);
    return result >= 0;
}

static void *work(void *arg) {
    struct worker *worker = arg;
    char text[64];
    for (int i = 0; i < MESSAGES; i++) {
        snprintf(text, sizeof text, "thread %d message %d", worker->number, i);
        if (!send_patiently(worker->conn, text)) break;
    }
    return NULL;
}

static void on_open(libws_conn conn, void *user) {
    struct worker *workers = calloc(THREADS, sizeof *workers);
    (void)user;
    if (!workers) { libws_close(conn, 1011, "no memory"); return; }
    libws_set_user(conn, workers);
    for (int i = 0; i < THREADS; i++) {
        workers[i].conn = conn;
        workers[i].number = i;
        workers[i].started = pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0;
    }
}

/* By now every send of the threads fails, so they end at once. */
static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    struct worker *workers = user;
    (void)conn;
    (void)info;
    for (int i = 0; workers && i < THREADS; i++)
        if (workers[i].started) pthread_join(workers[i].thread, NULL);
    free(workers);
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    libws_handlers handlers = {.struct_size = sizeof handlers, .on_open = on_open, .on_close = on_close};
    libws_listener listener;

    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_listen(loop, url, &handlers, NULL, NULL, &listener) != LIBWS_OK)
        return failed();
    return serve(listener);
}
