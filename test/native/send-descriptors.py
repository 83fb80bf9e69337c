"""Sends messages with descriptors over the SEQPACKET socket that is descriptor 3: one for each argument, which is the
number of pipes that go with it. Every pipe holds its number as text."""
import array, os, socket, sys

peer = socket.socket(fileno=3)
for count in map(int, sys.argv[1:]):
    pipes = [os.pipe() for _ in range(count)]
    for number, (_, write_end) in enumerate(pipes):
        os.write(write_end, str(number).encode())
        os.close(write_end)
    rights = array.array("i", [read_end for read_end, _ in pipes])
    peer.sendmsg([b"with %d" % count], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if count else [])
