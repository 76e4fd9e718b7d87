"""The other side of benchmarks.capacity: speech to text as vosk-server's websocket server does it.

Written anew after the protocol of alphacep/vosk-server: an optional configuration, pieces of sound each answered by a
result or a partial one, {"eof" : 1}, the final result, the end. One recognizer a connection, threads for the decoding, one
model for all. It doesn't know the pack and doesn't answer.
"""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import websockets

from voice.model import find_model, load_model


def decode(recognizer: Any, message: str | bytes) -> tuple[str, bool]:
    """(answer, whether it is the last)."""
    if isinstance(message, str):
        return recognizer.FinalResult(), True
    if recognizer.AcceptWaveform(message):
        return recognizer.Result(), False
    return recognizer.PartialResult(), False


async def serve(model: Path | None) -> None:
    """Prints its port when it is ready; runs until it is stopped. Raises ModelError."""
    loaded = load_model(find_model(model))
    pool = ThreadPoolExecutor(os.cpu_count())
    loop = asyncio.get_running_loop()

    async def connected(socket: Any) -> None:
        recognizer = None
        async for message in socket:
            if isinstance(message, str) and "config" in message:
                continue  # the load of the benchmark is at the model's rate
            if recognizer is None:
                recognizer = loaded.recognizer()
            answer, last = await loop.run_in_executor(pool, decode, recognizer, message)
            await socket.send(answer)
            if last:
                return

    async with websockets.serve(connected, "127.0.0.1", 0, max_size=None) as server:
        print(f"ready at {next(iter(server.sockets)).getsockname()[1]}", flush=True)
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    import sys

    asyncio.run(serve(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
