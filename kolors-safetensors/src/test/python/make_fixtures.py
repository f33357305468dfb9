"""Makes the files of ../resources with the reference implementation of safetensors.

    python make_fixtures.py            writes dtypes.safetensors and the sharded checkpoint
    python make_fixtures.py --check F  reads a file that Java wrote, and prints what is in it

Needs torch and safetensors. Each tensor's bytes are also in __metadata__, in hexadecimal, as
numpy sees them: so the test does not depend on what safetensors does with them.
"""

import json
import pathlib
import sys

import safetensors
import torch
from safetensors import safe_open
from safetensors.torch import save_file

SEED = 20240706
TARGET = pathlib.Path(__file__).resolve().parents[1] / "resources/io/github/kolors4j/safetensors"

FLOATS = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F8_E5M2": torch.float8_e5m2,
    "F8_E4M3": torch.float8_e4m3fn,
}
INTEGERS = {
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U64": torch.uint64,
    "U32": torch.uint32,
    "U16": torch.uint16,
    "U8": torch.uint8,
}


def provenance():
    return {
        "format": "pt",
        "seed": str(SEED),
        "torch": torch.__version__,
        "safetensors": safetensors.__version__,
    }


def raw(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes().hex()


def dtypes(generator):
    tensors = {}
    for name, dtype in FLOATS.items():
        values = torch.randn(3, 5, generator=generator, dtype=torch.float64)
        values[0, 0] = 1.5
        tensors[name] = values.to(dtype)
    for name, dtype in INTEGERS.items():
        bits = torch.randint(0, 256, (3, 5 * dtype.itemsize), generator=generator)
        tensors[name] = bits.to(torch.uint8).view(dtype)
    tensors["BOOL"] = torch.randint(0, 2, (3, 5), generator=generator).to(torch.bool)
    tensors["scalar"] = torch.tensor(-2.25, dtype=torch.float32)
    tensors["empty"] = torch.zeros(0, 7, dtype=torch.float16)
    tensors["图 \"quoted\"\n"] = torch.arange(4, dtype=torch.float32)
    metadata = provenance() | {"hex:" + name: raw(t) for name, t in tensors.items() if t.numel()}
    save_file(tensors, TARGET / "dtypes.safetensors", metadata)


def sharded(generator):
    weight_map = {}
    for part in (1, 2):
        shard = f"model.fp16-0000{part}-of-00002.safetensors"
        tensors = {
            f"layers.{part}.{name}": torch.randn(2, 3, generator=generator).half()
            for name in ("weight", "bias")
        }
        save_file(tensors, TARGET / shard, provenance())
        weight_map |= {name: shard for name in tensors}
    total = len(weight_map) * 12
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (TARGET / "model.safetensors.index.fp16.json").write_text(json.dumps(index, indent=2) + "\n")


def check(path):
    with safe_open(path, "pt") as file:
        print("metadata", file.metadata())
        for name in file.keys():
            tensor = file.get_tensor(name)
            print(repr(name), tensor.dtype, tuple(tensor.shape), tensor.flatten()[:4].tolist())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        check(sys.argv[2])
    else:
        generator = torch.Generator().manual_seed(SEED)
        dtypes(generator)
        sharded(generator)
