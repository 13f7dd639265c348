/* quotes [URL [MS]]: made-up prices at a fixed rate, each only to those who asked for its symbol.
 *   client: subscribe SYMBOL | unsubscribe SYMBOL
 *   server: symbols SYMBOL SYMBOL... | quote SYMBOL PRICE CHANGE | unknown SYMBOL */
#include "serve.h"
#include <stdlib.h>
#include <string.h>

static struct quote {
    const char *symbol;
    double opened, price;
} quotes[] = {{"OAK", 182.5, 182.5}, {"ELM", 41.2, 41.2}, {"FIR", 9.75, 9.75}, {"ASH", 310, 310}, {"YEW", 66.6, 66.6}};
#define QUOTES (sizeof quotes / sizeof *quotes)

static int write_quote(char *out, size_t size, const struct quote *quote) {
    double change = (quote->price / quote->opened - 1) * 100;
    return snprintf(out, size, "quote %s %.2f %+.2f", quote->symbol, quote->price, change);
}

static void on_open(libws_conn conn, void *user) {
    char line[100] = "symbols";
    (void)user;
    for (size_t i = 0; i < QUOTES; i++) strcat(strcat(line, " "), quotes[i].symbol);
    libws_send_text(conn, line);
}

/* The symbol is the topic; whoever has just asked need not wait for the next tick. */
static void on_message(libws_conn conn, const libws_message *message, void *user) {
    char line[64] = "", what[16], symbol[16];
    (void)user;
    if (message->len >= sizeof line) return;
    memcpy(line, message->data, message->len);
    if (sscanf(line, "%15s %15s", what, symbol) != 2) return;
    for (size_t i = 0; i < QUOTES; i++) {
        if (strcmp(symbol, quotes[i].symbol) != 0) continue;
        if (strcmp(what, "unsubscribe") == 0) libws_unsubscribe(conn, symbol);
        if (strcmp(what, "subscribe") != 0) return;
        libws_subscribe(conn, symbol);
        write_quote(line, sizeof line, &quotes[i]);
        libws_send_text(conn, line);
        return;
    }
    snprintf(line, sizeof line, "unknown %s", symbol);
    libws_send_text(conn, line);
}

static void on_tick(libws_loop on, libws_timer timer, void *arg) {
    char line[64];
    (void)timer;
    (void)arg;
    for (size_t i = 0; i < QUOTES; i++) {
        quotes[i].price *= 1 + (rand() % 201 - 100) / 50000.0; /* up or down by 0.2 % at most */
        int len = write_quote(line, sizeof line, &quotes[i]);
        libws_publish(on, quotes[i].symbol, 0, LIBWS_TEXT, line, (size_t)len);
    }
}

int main(int argc, char **argv) {
    const char *url = argc > 1 ? argv[1] : "ws://127.0.0.1:9001";
    uint32_t every_ms = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 500;
    libws_handlers handlers = {.struct_size = sizeof handlers, .on_open = on_open, .on_message = on_message};
    /* A viewer too slow for the ticks misses some, instead of being closed. */
    libws_settings settings = {.struct_size = sizeof settings, .flags = LIBWS_PUBLISH_SKIPS};
    libws_listen_options options = {
        .struct_size = sizeof options, .settings = &settings, .static_root = PAGES "/quotes"};
    libws_listener listener;

    if (libws_loop_new(NULL, &loop) != LIBWS_OK ||
        libws_listen(loop, url, &handlers, NULL, &options, &listener) != LIBWS_OK ||
        libws_timer_start(loop, every_ms, every_ms, on_tick, NULL, NULL) != LIBWS_OK)
        return failed();
    return serve(listener);
}
