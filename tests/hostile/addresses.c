/* addresses URL...: listens on each URL and tells what became of it: `URL RESULT PORT`. `+URL` also connects to it and
 * tells the end: `URL RESULT opened` or `URL RESULT CODE`. `@URL` only connects. */
#include <libws.h>
#include <stdio.h>
#include <string.h>

static int opened, ended;
static int32_t error;

static void on_open(libws_conn conn, void *user) {
    (void)user;
    opened++;
    libws_close(conn, 1000, NULL);
}

static void on_close(libws_conn conn, const libws_close_info *info, void *user) {
    (void)conn, (void)user;
    error = info->error;
    ended++;
}

static void try_to_connect(libws_loop loop, const char *url) {
    const libws_handlers calling = {.struct_size = sizeof calling, .on_open = on_open, .on_close = on_close};
    const libws_settings patience = {.struct_size = sizeof patience, .handshake_timeout_ms = 3000};
    const libws_connect_options options = {.struct_size = sizeof options, .settings = &patience};
    int32_t result;
    opened = ended = 0;
    result = libws_connect(loop, url, &calling, NULL, &options, NULL);
    for (int turn = 0; result == LIBWS_OK && !ended && turn < 100; turn++) libws_loop_run_once(loop, 50);
    if (result != LIBWS_OK) printf("%s %s\n", url, libws_result_name(result));
    else printf("%s %s\n", url, opened ? "opened" : ended ? libws_result_name(error) : "nothing");
}

int main(int argc, char **argv) {
    const libws_handlers none = {.struct_size = sizeof none};
    libws_loop loop;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (libws_loop_new(NULL, &loop)) return 1;
    for (int i = 1; i < argc; i++) {
        int both = *argv[i] == '+';
        const char *url = argv[i] + both;
        char real[512] = "";
        libws_listener listener = 0;
        int32_t result;
        if (*url == '@') {
            try_to_connect(loop, url + 1);
            continue;
        }
        result = libws_listen(loop, url, &none, NULL, NULL, &listener);
        if (result != LIBWS_OK || !both) {
            printf("%s %s\n", url, libws_result_name(result));
            continue;
        }
        libws_listener_url(listener, real, sizeof real);
        if (*real) try_to_connect(loop, real);
        libws_listener_close(listener);
        libws_loop_run_once(loop, 0);
    }
    return libws_loop_free(loop) != LIBWS_OK;
}
