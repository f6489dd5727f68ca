"""MPyC's party, called as ours is: ``python run_mpyc.py FOLDER INDEX PROGRAM SIZE DEGREE ADDRESS...``.

Belongs here: MPyC's calls, vectorised as its authors advise (``np_*``); the field is as large as ours. Connections are
without TLS, which favours MPyC.
"""

import json
import resource
import sys
import time

import numpy as np

_, _, index, program, size, degree, *addresses = sys.argv
sys.argv = [sys.argv[0], "-T", degree, "-I", index, "--no-log"]
for address in addresses:
    sys.argv += ["-P", address]

from mpyc.runtime import mpc  # noqa: E402 (reads the arguments)

FIELD = mpc.SecInt(32)


async def main() -> None:
    await mpc.start()
    cells, parties = int(size), len(addresses)
    # The same numbers as benchmarks.federation.programs.
    base = np.arange(cells) % 2001 - 1000
    own = FIELD.array(base * (int(index) + 1))
    await mpc.barrier()
    start, busy = time.perf_counter(), time.process_time()
    inputs = mpc.input(own)
    total = inputs[0]
    for one in inputs[1:]:
        total = total + one
    expected = base * (parties * (parties + 1) // 2)
    if program == "product":
        total, expected = total * total, expected**2
    if program == "absolute":
        total, expected = mpc.np_absolute(total), abs(expected)
    opened = await mpc.output(total)
    result = {
        "seconds": time.perf_counter() - start, "processor": time.process_time() - busy,
        "bytes": sum(peer.protocol.nbytes_sent for peer in mpc.parties if peer.pid != mpc.pid), "messages": 0,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }  # fmt: skip
    assert [int(x) for x in opened[-3:]] == expected[-3:].tolist()
    print(json.dumps(result))
    await mpc.shutdown()


mpc.run(main())
