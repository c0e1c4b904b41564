"""Becomes a program that sees Microsoft's host names at 127.0.0.1, inside namespaces of its own.

To be started by `unshare --mount --net`: switches the loopback device on, puts a hosts file over the system's, and
becomes the given program. The machine itself is not changed. Uses the standard library and mount(8) only.

usage: unshare --map-root-user --mount --net python3 namespace.py <program> [argument]…
"""

import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile

HOSTS = [
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.windows.net",
    "sts.windows.net",
    "graph.microsoft.com",
    "outlook.office.com",
    "outlook.office365.com",
    "microsoft.com",
    "www.microsoft.com",
    "aka.ms",
]
# From linux/sockios.h and linux/if.h.
SIOCSIFFLAGS = 0x8914
IFF_UP = 1

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
    fcntl.ioctl(device, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
with tempfile.NamedTemporaryFile("w", delete=False) as file:
    file.write("127.0.0.1 localhost\n::1 localhost\n")
    file.writelines(f"127.0.0.1 {host}\n" for host in HOSTS)
os.chmod(file.name, 0o644)
subprocess.run(["mount", "--bind", file.name, "/etc/hosts"], check=True)
os.unlink(file.name)
os.execvp(sys.argv[1], sys.argv[1:])
