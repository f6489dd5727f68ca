"""Signs, products and the largest as MPyC computes them on its own shares: whole numbers as JSON in, JSON out.

Run as a program, since MPyC reads the command line when it is imported.
"""

import json
import sys
from typing import Any

from mpyc.runtime import mpc


async def computed(a: list[int], b: list[int]) -> dict[str, Any]:
    secint = mpc.SecInt(61)
    await mpc.start()
    x, y = ([secint(value) for value in values] for values in (a, b))
    found = {
        "less": await mpc.output([mpc.lt(p, q) for p, q in zip(x, y, strict=True)]),
        "absolute": await mpc.output([mpc.abs(p) for p in x]),
        "product": await mpc.output(mpc.schur_prod(x, y)),
        "inner": [await mpc.output(mpc.in_prod(x, y))],
        "largest": [await mpc.output(mpc.argmax(x)[0])],
    }
    await mpc.shutdown()
    return {name: [int(value) for value in values] for name, values in found.items()}


if __name__ == "__main__":
    print(json.dumps(mpc.run(computed(**json.load(sys.stdin)))))
