/* visitor URL chat|time_push|stay: visits an example as a browser would, and as nobody should. For valgrind_check.sh. */
#include "check.h"
#include "peer.h"

#include <stdlib.h>
#include <string.h>

static int port;
static char text[70000];

/* The page is there, in full. */
static void page(const char *title) {
    char head[4096];
    int fd = peer_connect(port);
    CHECK_EQ(peer_ask_for(fd, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), 0);
    CHECK_EQ(peer_reply(fd, head, sizeof head, text, sizeof text), 200);
    CHECK(strstr(text, title) && strstr(text, "</html>"));
    close(fd);
}

static void say(int fd, const char *line) { CHECK_EQ(peer_send(fd, 0x81, line, strlen(line)), 0); }

/* The next line begins like this. */
static void hears(int fd, const char *line) {
    int first;
    long len;
    do len = peer_read(fd, &first, text, sizeof text - 1);
    while (len >= 0 && first != 0x81); /* pings */
    text[len < 0 ? 0 : len] = 0;
    if (strncmp(text, line, strlen(line)) != 0) printf("\"%s\", not \"%s\"\n", text, line);
    CHECK(strncmp(text, line, strlen(line)) == 0);
}

/* Lines that no page sends: they are ignored, or end the connection, and disturb nobody. */
static void lies(void) {
    static char many[5000];
    int fd = peer_open(port), first;
    memset(many, 'n', sizeof many - 1);
    memcpy(many, "join\tlobby\t", 11);
    say(fd, many + 1000); /* a line without sense */
    many[100] = 0;
    say(fd, many); /* a name of 89 bytes */
    say(fd, "");
    say(fd, "join");
    say(fd, "join\tlobby");
    say(fd, "join\tlobby\t");
    say(fd, "join\tlobby\tname\textra");
    say(fd, "say\tnot a member");
    CHECK_EQ(peer_send(fd, 0x82, "join\tlobby\t\xff", 12), 0);
    many[100] = 'n';
    say(fd, many); /* 4999 bytes: more than a line has */
    while (peer_read(fd, &first, text, sizeof text) >= 0 && first != 0x88) continue;
    CHECK(memcmp(text, "\3\361", 2) == 0); /* 1009 */
    close(fd);
}

static void chat(void) {
    int ann, bob, liar;
    page("<title>Chat");
    ann = peer_open(port);
    bob = peer_open(port);
    say(ann, "join\tlobby\tAnn");
    hears(ann, "joined\tAnn");
    say(bob, "join\tlobby\tAnn");
    hears(bob, "taken\tAnn");
    say(bob, "join\tlobby\tBob");
    hears(bob, "here\tAnn");
    hears(bob, "joined\tBob");
    hears(ann, "joined\tBob");
    lies();
    liar = peer_open(port);
    say(liar, "join\telsewhere\tAnn"); /* another room, another Ann */
    hears(liar, "joined\tAnn");
    say(bob, "say\ttabs\tand\tall");
    hears(ann, "said\tBob\ttabs\tand\tall");
    hears(bob, "said\tBob\ttabs\tand\tall");
    close(bob);
    hears(ann, "left\tBob");
    close(ann);
    close(liar);
}

static void time_push(void) {
    int fd;
    page("<title>Time");
    fd = peer_open(port);
    for (int i = 0; i < 3; i++) hears(fd, "20");
    close(fd);
}

/* Connected until the server ends. */
static void stay(void) {
    int fd = peer_open(port), first;
    CHECK(fd >= 0);
    puts("here");
    while (peer_read(fd, &first, text, sizeof text) >= 0) continue;
    close(fd);
}

int main(int argc, char **argv) {
    const char *colon = argc == 3 ? strrchr(argv[1], ':') : NULL;
    check_begin(120);
    if (!colon) return 2;
    port = atoi(colon + 1);
    if (strcmp(argv[2], "chat") == 0) chat();
    else if (strcmp(argv[2], "time_push") == 0) time_push();
    else stay();
    return check_end();
}
