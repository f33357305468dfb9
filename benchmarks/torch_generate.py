"""What `./kolors generate PROMPT --steps 25 --out FILE` does, as a Python user writes it: load, generate, save. For timing whole processes.

usage: PYTHONPATH=<diffusers>/src python torch_generate.py --model DIR --output FILE.png [--prompt TEXT] [--steps 25] [--threads N]
"""
import argparse
import glob
import os

import torch
from diffusers import KolorsPipeline

p = argparse.ArgumentParser()
p.add_argument("--model", required=True)
p.add_argument("--output", required=True)
p.add_argument("--prompt", default="一只瓢虫")
p.add_argument("--steps", type=int, default=25)
p.add_argument("--threads", type=int, default=os.cpu_count())
a = p.parse_args()
torch.set_num_threads(a.threads)
variant = "fp16" if glob.glob(os.path.join(a.model, "unet", "*fp16*")) else None
pipe = KolorsPipeline.from_pretrained(a.model, variant=variant, torch_dtype=torch.float32)
pipe.set_progress_bar_config(disable=True)
image = pipe(
    a.prompt,
    negative_prompt="",
    num_inference_steps=a.steps,
    generator=torch.Generator().manual_seed(0),
).images[0]
image.save(a.output)
