/* Settings of permessage-deflate from words on a command line, for the programs that the outer tests drive. */
#ifndef DEFLATE_WORDS_H
#define DEFLATE_WORDS_H

#include <libws.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFLATE_WORDS "deflate [takeover] [peer-takeover] [bits=N] [peer-bits=N] [level=N] [min=N]"

static int deflate_number(const char *word, const char *name, uint32_t *field)
{
    size_t len = strlen(name);
    if (strncmp(word, name, len) != 0 || word[len] != '=') {
        return 0;
    }
    *field = (uint32_t)strtoul(word + len + 1, NULL, 10);
    return 1;
}

static void deflate_flag(const char *word, libws_settings *settings)
{
    if (strcmp(word, "deflate") == 0) {
        settings->flags |= LIBWS_DEFLATE;
    } else if (strcmp(word, "takeover") == 0) {
        settings->flags |= LIBWS_DEFLATE_TAKEOVER;
    } else if (strcmp(word, "peer-takeover") == 0) {
        settings->flags |= LIBWS_DEFLATE_PEER_TAKEOVER;
    } else {
        fprintf(stderr, "%s is none of: " DEFLATE_WORDS "\n", word);
        exit(2);
    }
}

/* The library's defaults, and what the words say. */
static libws_settings deflate_settings(int count, char **words)
{
    libws_settings settings = {0};
    settings.struct_size = sizeof settings;
    for (; count > 0; count--, words++) {
        if (!deflate_number(*words, "bits", &settings.deflate_window_bits) &&
            !deflate_number(*words, "peer-bits", &settings.deflate_peer_window_bits) &&
            !deflate_number(*words, "level", &settings.deflate_level) &&
            !deflate_number(*words, "min", &settings.deflate_min_bytes)) {
            deflate_flag(*words, &settings);
        }
    }
    return settings;
}

#endif
