/* A WebSocket peer by hand: plain blocking sockets, no library, so that it can also misbehave. */
#ifndef PEER_H
#define PEER_H

#include <stddef.h>
#include <stdint.h>

/* A TCP connection to 127.0.0.1; reads time out after 10 s. -1 on failure. */
int peer_connect(int port);
/* Sends the request of an opening handshake; 0 on success. */
int peer_ask(int fd);
/* A connection with the opening handshake done. */
int peer_open(int port);
/* Sends all bytes; 0 on success. */
int peer_write(int fd, const void *bytes, size_t len);
/* Sends a frame, masked with the key 1 2 3 4. first: FIN, RSV and opcode, as 0x81 for a text. */
int peer_send(int fd, int first, const void *payload, size_t len);
/* Writes the same frame into out (len + 14 bytes at most); returns its length. */
size_t peer_frame(unsigned char *out, int first, const void *payload, size_t len);
/* Reads one frame; returns its payload's length and stores its first byte. -1: the stream ended or nothing came. A
 * payload longer than size is cut in out, its length is still returned. */
long peer_read(int fd, int *first, void *out, size_t size);
/* Reads until the peer ends the stream, at most size bytes; returns how many. */
size_t peer_read_all(int fd, void *out, size_t size);
/* Reads up to and with the empty line that ends a head, NUL-terminated; returns its length, -1 at the stream's end. */
long peer_read_head(int fd, char *out, size_t size);
/* Sends a text as it is; 0 on success. */
int peer_ask_for(int fd, const char *request);
/* Reads an HTTP response and returns its status, -1 if there is none. Both texts are NUL-terminated. body NULL: the
 * response has none, whatever Content-Length says. */
int peer_reply(int fd, char *head, size_t head_size, char *body, size_t body_size);
/* 1 if the peer has ended the stream (and nothing more came before that), waiting at most ms. */
int peer_ended(int fd, int ms);
/* Closes with RST instead of FIN: not even a half-closed stream is left to answer on. */
void peer_reset(int fd);

#endif
