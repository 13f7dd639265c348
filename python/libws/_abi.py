"""The C side of include/libws.h as ctypes sees it: structs, callback types, prototypes, and the shared library."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char,
    c_char_p,
    c_int32,
    c_int64,
    c_size_t,
    c_uint32,
    c_uint64,
    c_void_p,
)
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

VERSION = (0, 1, 0)
"""The version of libws.h that this file was written after."""

SUFFIX = "dylib" if sys.platform == "darwin" else "so"


class Message(Structure):
    """libws_message."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("kind", c_int32),
        ("flags", c_uint32),
        ("data", c_void_p),
        ("len", c_size_t),
    ]


class CloseInfo(Structure):
    """libws_close_info."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("code", c_int32),
        ("sent_code", c_int32),
        ("error", c_int32),
        ("was_open", c_int32),
        ("was_clean", c_int32),
        ("reason", c_void_p),
        ("reason_len", c_size_t),
        ("detail", c_char_p),
        ("unsent", c_uint64),
    ]


class ConnInfo(Structure):
    """libws_conn_info."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("role", c_int32),
        ("ready_state", c_int32),
        ("round_trip_us", c_int64),
        ("buffered_amount", c_uint64),
        ("listener", c_uint64),
        ("peer", c_char * 64),
        ("protocol", c_char * 64),
        ("deflate", c_int32),
    ]


UpgradeCallback = CFUNCTYPE(c_int32, c_uint64, c_void_p)
RequestCallback = CFUNCTYPE(None, c_uint64, c_void_p)
ConnCallback = CFUNCTYPE(None, c_uint64, c_void_p)
MessageCallback = CFUNCTYPE(None, c_uint64, POINTER(Message), c_void_p)
PongCallback = CFUNCTYPE(None, c_uint64, c_void_p, c_size_t, c_void_p)
CloseCallback = CFUNCTYPE(None, c_uint64, POINTER(CloseInfo), c_void_p)
ListenerCallback = CFUNCTYPE(None, c_uint64, c_void_p)
RetryCallback = CFUNCTYPE(None, c_uint64, POINTER(CloseInfo), c_uint32, c_void_p)
LogCallback = CFUNCTYPE(None, c_int32, c_char_p, c_void_p)
PostCallback = CFUNCTYPE(None, c_uint64, c_void_p)
TimerCallback = CFUNCTYPE(None, c_uint64, c_uint64, c_void_p)


class Handlers(Structure):
    """libws_handlers."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("on_upgrade", UpgradeCallback),
        ("on_request", RequestCallback),
        ("on_open", ConnCallback),
        ("on_message", MessageCallback),
        ("on_pong", PongCallback),
        ("on_drain", ConnCallback),
        ("on_close", CloseCallback),
        ("on_listener_close", ListenerCallback),
        ("on_retry", RetryCallback),
    ]


class Settings(Structure):
    """libws_settings."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("flags", c_uint32),
        ("max_message", c_uint32),
        ("max_parts", c_uint32),
        ("high_water", c_uint32),
        ("low_water", c_uint32),
        ("max_buffered", c_uint32),
        ("heartbeat_ms", c_uint32),
        ("heartbeat_timeout_ms", c_uint32),
        ("handshake_timeout_ms", c_uint32),
        ("close_timeout_ms", c_uint32),
        ("message_timeout_ms", c_uint32),
        ("send_timeout_ms", c_uint32),
        ("deflate_level", c_uint32),
        ("deflate_min_bytes", c_uint32),
        ("deflate_window_bits", c_uint32),
        ("deflate_peer_window_bits", c_uint32),
    ]


class ListenOptions(Structure):
    """libws_listen_options."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("settings", POINTER(Settings)),
        ("path", c_char_p),
        ("protocols", c_char_p),
        ("origins", c_char_p),
        ("hosts", c_char_p),
        ("headers", c_char_p),
        ("static_root", c_char_p),
        ("backlog", c_uint32),
        ("max_connections", c_uint32),
        ("max_body", c_uint32),
        ("keep_alive_ms", c_uint32),
        ("reuse_port", c_int32),
        ("fd", c_int32),
    ]


class ConnectOptions(Structure):
    """libws_connect_options."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("settings", POINTER(Settings)),
        ("protocols", c_char_p),
        ("origin", c_char_p),
        ("headers", c_char_p),
        ("reconnect", c_int32),
        ("reconnect_min_ms", c_uint32),
        ("reconnect_max_ms", c_uint32),
        ("reconnect_attempts", c_uint32),
        ("reconnect_stable_ms", c_uint32),
        ("offline_queue", c_uint32),
        ("offline_drop_oldest", c_int32),
        ("reconnect_final_codes", c_char_p),
    ]


class LoopOptions(Structure):
    """libws_loop_options."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("log", LogCallback),
        ("log_user", c_void_p),
        ("log_level", c_int32),
        ("deflate_memory", c_uint32),
    ]


STRUCTS = {
    "libws_message": Message,
    "libws_close_info": CloseInfo,
    "libws_conn_info": ConnInfo,
    "libws_handlers": Handlers,
    "libws_settings": Settings,
    "libws_listen_options": ListenOptions,
    "libws_connect_options": ConnectOptions,
    "libws_loop_options": LoopOptions,
}
"""Every struct of the header by its C name; the tests compare their layouts."""

_OUT = POINTER(c_uint64)

FUNCTIONS: Dict[str, Tuple[Any, List[Any]]] = {
    "libws_result_name": (c_char_p, [c_int32]),
    "libws_last_error": (c_char_p, []),
    "libws_last_os_error": (c_int32, []),
    "libws_loop_new": (c_int32, [POINTER(LoopOptions), _OUT]),
    "libws_loop_free": (c_int32, [c_uint64]),
    "libws_loop_run": (c_int32, [c_uint64]),
    "libws_loop_start": (c_int32, [c_uint64]),
    "libws_loop_run_once": (c_int32, [c_uint64, c_int32]),
    "libws_loop_fd": (c_int32, [c_uint64]),
    "libws_loop_timeout": (c_int32, [c_uint64, POINTER(c_int32)]),
    "libws_loop_stop": (c_int32, [c_uint64]),
    "libws_loop_post": (c_int32, [c_uint64, PostCallback, c_void_p]),
    "libws_timer_start": (c_int32, [c_uint64, c_uint32, c_uint32, TimerCallback, c_void_p, _OUT]),
    "libws_timer_stop": (c_int32, [c_uint64]),
    "libws_listen": (c_int32, [c_uint64, c_char_p, POINTER(Handlers), c_void_p, POINTER(ListenOptions), _OUT]),
    "libws_listener_port": (c_int32, [c_uint64]),
    "libws_listener_url": (c_int32, [c_uint64, c_char_p, c_size_t]),
    "libws_listener_close": (c_int32, [c_uint64]),
    "libws_connect": (c_int32, [c_uint64, c_char_p, POINTER(Handlers), c_void_p, POINTER(ConnectOptions), _OUT]),
    "libws_request_method": (c_char_p, [c_uint64]),
    "libws_request_target": (c_char_p, [c_uint64]),
    "libws_request_header": (c_char_p, [c_uint64, c_char_p]),
    "libws_request_body": (c_void_p, [c_uint64, POINTER(c_size_t)]),
    "libws_request_peer": (c_int32, [c_uint64, c_char_p, c_size_t]),
    "libws_request_set_user": (c_int32, [c_uint64, c_void_p]),
    "libws_accept": (c_int32, [c_uint64, c_char_p, c_char_p]),
    "libws_respond": (c_int32, [c_uint64, c_int32, c_char_p, c_char_p, c_size_t]),
    "libws_send": (c_int32, [c_uint64, c_int32, c_char_p, c_size_t]),
    "libws_send_text": (c_int32, [c_uint64, c_char_p]),
    "libws_ping": (c_int32, [c_uint64, c_char_p, c_size_t]),
    "libws_close": (c_int32, [c_uint64, c_int32, c_char_p]),
    "libws_terminate": (c_int32, [c_uint64]),
    "libws_pause": (c_int32, [c_uint64, c_int32]),
    "libws_ready_state": (c_int32, [c_uint64]),
    "libws_buffered_amount": (c_int64, [c_uint64]),
    "libws_info": (c_int32, [c_uint64, POINTER(ConnInfo)]),
    "libws_user": (c_void_p, [c_uint64]),
    "libws_set_user": (c_int32, [c_uint64, c_void_p]),
    "libws_subscribe": (c_int32, [c_uint64, c_char_p]),
    "libws_unsubscribe": (c_int32, [c_uint64, c_char_p]),
    "libws_publish": (c_int32, [c_uint64, c_char_p, c_uint64, c_int32, c_char_p, c_size_t]),
    "libws_version": (c_uint32, []),
    "libws_version_string": (c_char_p, []),
}
"""Every function of the header: what it returns and takes."""


def candidates() -> List[str]:
    """Where the library may be, best first."""
    named = os.environ.get("LIBWS_LIBRARY")
    if named:
        # A library asked for by name is never replaced by another one.
        return [named]
    package = Path(__file__).resolve().parent
    found: List[str] = [str(package / f"libws.{SUFFIX}.0"), str(package / f"libws.{SUFFIX}")]
    found = [path for path in found if os.path.exists(path)]
    system: Optional[str] = ctypes.util.find_library("ws")
    if system:
        found.append(system)
    checkout = package.parents[1] / "target" / "release" / f"libws.{SUFFIX}"
    if checkout.exists():
        found.append(str(checkout))
    return found


def check_version(number: int, path: str) -> None:
    """Raises ImportError unless a library of this version has everything these bindings use.

    Before 1.0 the minor version must be the same, from then on the major one; a newer rest is fine.
    """
    version = (number >> 16, number >> 8 & 0xFF, number & 0xFF)
    same = 2 if VERSION[0] == 0 else 1
    if version[:same] != VERSION[:same] or version < VERSION:
        have, want = (".".join(map(str, numbers)) for numbers in (version, VERSION))
        raise ImportError(f"{path} is libws {have}, these bindings need {want} or a compatible newer one")


def load() -> ctypes.CDLL:
    """Finds the shared library, checks its version and declares its functions."""
    problems = []
    for path in candidates():
        try:
            library = ctypes.CDLL(path)
            version = library.libws_version
        except (OSError, AttributeError) as problem:
            problems.append(f"{path}: {problem}")
            continue
        version.restype, version.argtypes = FUNCTIONS["libws_version"]
        check_version(version(), path)
        for name, (result, arguments) in FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
        return library
    tried = "; ".join(problems) or "not beside the package, on the system, or in target/release"
    raise ImportError(f"the libws shared library was not found (LIBWS_LIBRARY can name it): {tried}")


lib = load()
