/* static_root: the files of one folder, and nothing outside of it. */
#include "support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { BIG = 3000000 };

static char root[] = "/tmp/libws-static-XXXXXX", secret[] = "/tmp/libws-secret-XXXXXX";
static char head[4096], body[65536];
static int port;

static void put(const char *name, const char *text) {
    char path[256];
    FILE *file;
    snprintf(path, sizeof path, "%s/%s", root, name);
    file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) CHECK(0 && "the test's files can be written");
}

/* A folder with files, a folder, a big file, and things that must not be served. */
static void make_files(void) {
    char path[256];
    int fd = mkstemp(secret);
    CHECK(fd >= 0 && write(fd, "secret", 6) == 6 && close(fd) == 0);
    CHECK(mkdtemp(root) != NULL);
    put("index.html", "<h1>hi</h1>");
    put("a b.txt", "spaced");
    put("style.css", "");
    snprintf(path, sizeof path, "%s/sub", root);
    CHECK_EQ(mkdir(path, 0700), 0);
    put("sub/index.html", "sub");
    snprintf(path, sizeof path, "%s/out", root);
    CHECK_EQ(symlink(secret, path), 0);
    snprintf(path, sizeof path, "%s/up", root);
    CHECK_EQ(symlink("/tmp", path), 0);
    snprintf(path, sizeof path, "%s/fifo", root);
    CHECK_EQ(mkfifo(path, 0600), 0);
    snprintf(path, sizeof path, "%s/big", root);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    CHECK(fd >= 0 && ftruncate(fd, BIG) == 0 && close(fd) == 0);
}

static void remove_files(void) {
    static const char *const names[] = {"index.html", "a b.txt", "style.css", "sub/index.html", "out", "up", "fifo", "big"};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", root, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/sub", root);
    rmdir(path);
    CHECK_EQ(rmdir(root), 0);
    unlink(secret);
}

/* Asks for a target on a connection of its own; body NULL for HEAD. */
static int ask(const char *method, const char *target, const char *headers) {
    char request[1024];
    int fd = peer_connect(port), status;
    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n", method, target, headers);
    CHECK_EQ(peer_ask_for(fd, request), 0);
    body[0] = 0;
    status = peer_reply(fd, head, sizeof head, strcmp(method, "HEAD") ? body : NULL, sizeof body);
    close(fd);
    return status;
}

static void what_is_there(void) {
    char etag[128] = "", *at;
    CHECK(ask("GET", "/", "") == 200 && strcmp(body, "<h1>hi</h1>") == 0);
    CHECK(strcasestr(head, "content-type: text/html") && strcasestr(head, "x-content-type-options: nosniff"));
    CHECK(ask("GET", "/?query=1", "") == 200 && strcmp(body, "<h1>hi</h1>") == 0);
    CHECK(ask("GET", "/a%20b.txt", "") == 200 && strcmp(body, "spaced") == 0);
    CHECK(ask("GET", "/style.css", "") == 200 && strcasestr(head, "content-type: text/css"));
    CHECK(ask("GET", "/sub/", "") == 200 && strcmp(body, "sub") == 0);
    CHECK(ask("HEAD", "/", "") == 200 && strcasestr(head, "content-length: 11\r\n"));
    CHECK_EQ(ask("GET", "/nothing", ""), 404);
    CHECK_EQ(ask("POST", "/", "Content-Length: 0\r\n"), 405);
    CHECK(strcasestr(head, "allow: GET") != NULL);
    CHECK_EQ(ask("GET", "/", ""), 200);
    at = strcasestr(head, "\r\netag: ");
    if (at) snprintf(etag, sizeof etag, "If-None-Match: %.*s\r\n", (int)strcspn(at + 8, "\r"), at + 8);
    CHECK(etag[0] && ask("GET", "/", etag) == 304);
}

static void what_is_not(void) {
    static const char *const targets[] = {"/../etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
        "/sub/../../etc/passwd", "//etc/passwd", "/sub%00.html", "/%", "/%zz", "/..\\..\\etc\\passwd", "/out", "/fifo",
        "/up/", "/./../", "/sub/%2e%2e%2f%2e%2e%2fetc%2fpasswd"};
    char up[256];
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        int status = ask("GET", targets[i], "");
        if (status < 400 || status > 404) printf("GET %s: %d\n", targets[i], status);
        CHECK((status == 400 || status == 403 || status == 404) && !strstr(body, "root:") && !strstr(body, "secret"));
    }
    snprintf(up, sizeof up, "/up/%s", strrchr(secret, '/') + 1);
    CHECK(ask("GET", up, "") >= 400 && !strstr(body, "secret"));
    CHECK_EQ(ask("GET", "/", ""), 200); /* the fifo holds nobody up */
}

/* More than any buffer holds, to a peer that reads late; and to one that goes in the middle. */
static void big_file(void) {
    static char chunk[BIG];
    int fd = peer_connect(port), other = peer_connect(port);
    CHECK_EQ(peer_ask_for(other, "GET /big HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), 0);
    CHECK_EQ(peer_ask_for(fd, "GET /big HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"), 0);
    sleep_ms(50);
    CHECK_EQ(peer_reply(fd, head, sizeof head, NULL, 0), 200);
    CHECK_EQ(peer_read_all(fd, chunk, sizeof chunk), BIG);
    CHECK(peer_ended(fd, WAIT_MS));
    close(fd);
    peer_reset(other);
    CHECK_EQ(ask("GET", "/", ""), 200);
}

int main(void) {
    const libws_handlers none = {.struct_size = sizeof none};
    libws_listen_options options = {.struct_size = sizeof options, .static_root = root};
    libws_loop loop = new_loop();
    int fd;
    check_begin(60);
    make_files();
    port = listen_on(loop, &none, NULL, &options, NULL);
    CHECK_EQ(libws_loop_start(loop), LIBWS_OK);
    what_is_there();
    what_is_not();
    big_file();
    fd = peer_open(port); /* and WebSockets on the same port */
    CHECK(fd >= 0);
    close(fd);
    CHECK_EQ(libws_loop_free(loop), LIBWS_OK);
    remove_files();
    return check_end();
}
