# The front door of libws. `make help` lists what there is to do.

URL    ?= ws://127.0.0.1:9001
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
PYTHON ?= python3

SHELL := /bin/bash
override TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
export CARGO_TARGET_DIR := $(TARGET)
BUILT := $(TARGET)/release
TESTS_C := $(TARGET)/tests-c

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
MAJOR   := $(firstword $(subst ., ,$(VERSION)))
DEST    := $(DESTDIR)$(PREFIX)
DESTLIB := $(DESTDIR)$(LIBDIR)

# $(call pkgconfig,PREFIX,LIBDIR,INCLUDEDIR): the text of libws.pc for these folders
pkgconfig = sed -e 's|@prefix@|$(1)|' -e 's|@libdir@|$(2)|' -e 's|@includedir@|$(3)|' -e 's|@version@|$(VERSION)|' libws.pc.in

# Optimised without the link-time optimisation of a release: minutes less to wait, and its own folder.
NOTES_PROFILE := CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16

.PHONY: help run notes test lib examples examples-cpp test-peers header header-check conformance interop browser hostile \
        fuzz coverage bench bench-threads fmt lint docs install uninstall clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'
	@echo
	@echo '  URL=$(URL)  PREFIX=$(PREFIX)  DESTDIR=$(DESTDIR)'

run: examples ## start the chat on URL and print the address of its page
	@set -o pipefail; $(TARGET)/examples-c/chat '$(URL)' | \
	    sed -u 's|^listening on ws://\(.*\)|&\nopen http://\1/ in a browser; Ctrl-C ends the chat|'

notes: ## start the notes app; ARGS='--join LINK' and others are passed on
	@command -v cargo >/dev/null || { echo 'make notes needs Rust 1.95 or newer: https://rustup.rs' >&2; exit 1; }
	@[ "$$(uname)" != Linux ] || [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || \
	    { echo 'make notes needs a display: neither DISPLAY nor WAYLAND_DISPLAY is set.' \
	           'Without one: cargo run -p demo-gui -- --serve --listen 0.0.0.0:8765' >&2; exit 1; }
	$(NOTES_PROFILE) cargo run --release -p demo-gui --target-dir $(TARGET)/notes -- $(ARGS)

test: ## run every test; the last line sums them up
	@$(PYTHON) tests/run.py

lib: ## build libws.so, libws.a and a libws.pc to use them from target/release
	cargo build --release --lib
	@ln -sf libws.so $(BUILT)/libws.so.$(MAJOR)
	@$(call pkgconfig,$(CURDIR),$(BUILT),$(CURDIR)/include) > $(BUILT)/libws.pc

examples: lib ## build the C examples into target/examples-c
	@$(MAKE) --no-print-directory -C examples-c TARGET=$(TARGET)

examples-cpp: lib ## build the C++ examples into target/examples-cpp
	@$(MAKE) --no-print-directory -C examples-cpp TARGET=$(TARGET)

test-peers: lib ## build the client and the server that the conformance and interop tests drive
	@mkdir -p $(TESTS_C)
	@for name in ws_client ws_server; do \
	    $(CC) -std=c99 -O2 -Wall -Wextra -pedantic -Werror -Iinclude -o $(TESTS_C)/$$name tests/c/$$name.c \
	        -L$(BUILT) -Wl,-rpath,$(BUILT) -lws || exit 1; \
	done

header: ## write include/libws.h from src/capi
	cargo run --quiet -p xtask -- header

header-check: ## is include/libws.h what src/capi says, and does it compile?
	cargo run --quiet -p xtask -- header --check

conformance: examples test-peers ## all 517 cases of Autobahn as server and as client (20 minutes)
	$(PYTHON) tests/conformance/run.py server all
	$(PYTHON) tests/conformance/run.py client all

interop: examples test-peers ## talk to the other implementations of WebSocket in both directions
	$(PYTHON) tests/interop/run.py

browser: examples ## drive the pages of the examples in Chromium
	$(PYTHON) tests/browser/run.py

hostile: examples ## attack server and client, and print what each attack costs
	$(PYTHON) tests/run.py hostile

fuzz: ## fuzz every target for TIME seconds [600]
	$(PYTHON) tests/fuzz/run.py $(or $(TIME),600)

coverage: ## how much of src/proto the tests and the fuzz corpora run
	$(PYTHON) tests/coverage/run.py

bench: ## measure libws beside its peers, PEER='NAME=COMMAND {port}' adds one, ROWS='echo-20*' chooses rows
	$(PYTHON) benches/bench.py $(if $(ROWS),--rows $(foreach row,$(ROWS),'$(row)')) $(foreach name,PEER PEER2 PEER3,\
	    $(if $($(name)),--peer '$($(name))'))

bench-threads: lib ## how fast other threads send into one loop, beside the loop's own thread
	@mkdir -p $(TARGET)/bench-env
	$(CC) -std=c11 -O2 -Wall -Wextra -Werror -Iinclude -o $(TARGET)/bench-env/threads benches/threads/threads.c \
	    -L$(BUILT) -Wl,-rpath,$(BUILT) -lws -lpthread
	@for bytes in 64 1024; do $(TARGET)/bench-env/threads $$bytes || exit 1; done

fmt: ## format the Rust code
	cargo fmt --all

lint: ## formatting and clippy, warnings are errors
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

docs: ## the Rust documentation, warnings are errors
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

install: lib ## install the library, its headers and libws.pc below PREFIX (and DESTDIR)
	install -D -m 755 $(BUILT)/libws.so $(DESTLIB)/libws.so.$(VERSION)
	ln -sf libws.so.$(VERSION) $(DESTLIB)/libws.so.$(MAJOR)
	ln -sf libws.so.$(MAJOR) $(DESTLIB)/libws.so
	install -D -m 644 $(BUILT)/libws.a $(DESTLIB)/libws.a
	install -D -m 644 include/libws.h $(DEST)/include/libws.h
	install -D -m 644 include/libws.hpp $(DEST)/include/libws.hpp
	mkdir -p $(DESTLIB)/pkgconfig
	$(call pkgconfig,$(PREFIX),$(LIBDIR),$(PREFIX)/include) > $(DESTLIB)/pkgconfig/libws.pc

uninstall: ## remove what install put there
	rm -f $(DESTLIB)/libws.so{,.$(MAJOR),.$(VERSION)} $(DESTLIB)/libws.a
	rm -f $(DEST)/include/libws.{h,hpp} $(DESTLIB)/pkgconfig/libws.pc

clean: ## remove everything that was built
	rm -rf $(TARGET)
