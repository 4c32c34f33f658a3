"""deepface's plain loop, in an environment of its own (`tests.benchmarks.enrol` starts it; nothing else imports this).

Reads a line of JSON on standard input, a list of photographs; answers the seconds that it took, and in how many it found
a face. DEEPFACE_HOME has the same YuNet and SFace weights that our default pack is made of.
"""

import json
import sys
import time

from deepface import DeepFace  # pyright: ignore[reportMissingImports]


def represent(path: str) -> list:
    return DeepFace.represent(path, model_name="SFace", detector_backend="yunet", enforce_detection=False)


def main() -> None:
    out, sys.stdout = sys.stdout, sys.stderr  # it prints
    represent(json.loads(sys.stdin.readline())[0])  # loading is not enrolling
    print(json.dumps({}), file=out, flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        found = [represent(path) for path in json.loads(line)]
        took = time.perf_counter() - began
        faces = sum(any(face["face_confidence"] > 0 for face in each) for each in found)
        print(json.dumps({"seconds": took, "faces": faces}), file=out, flush=True)


if __name__ == "__main__":
    main()
