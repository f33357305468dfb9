"""Trains an IP-Adapter-Plus: an image encoder, the resampler, and keys and values for each cross-attention of the U-Net.

The encoder is a small CLIP vision model. It first learns to name object and background of a picture, and the resampler to give
tokens like those of a caption of it, which the U-Net already understands: this needs no U-Net, so many pictures are seen in
little time. Then all learn on the frozen U-Net, which mostly sees no words. It is to predict both the noise and what it predicts with the right
words, which varies less; and what its cross-attentions give is to be what they give with the right words.
"""

import copy
import math
import os
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.models.attention_processor import IPAdapterAttnProcessor2_0
from safetensors.torch import load_file, save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from common import COLOURS, SIZE, Clock, drawn, held_out, load_objects, parser, setup
from train_control import CHECKPOINT, LATENT, Words, encode, min_snr, sheet, tensor, timesteps
from train_unet import scheduler

CLIP = dict(hidden_size=96, intermediate_size=256, num_hidden_layers=4, num_attention_heads=3, image_size=SIZE, patch_size=8,
            projection_dim=64, hidden_act="quick_gelu")
ADAPTER = "ip_adapter_plus_general.safetensors"
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
TOKENS, DIM, DEPTH, HEADS, HEAD = 8, 128, 2, 2, 64


class Perceiver(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(DIM), nn.LayerNorm(DIM)
        self.to_q = nn.Linear(DIM, HEADS * HEAD, bias=False)
        self.to_kv = nn.Linear(DIM, 2 * HEADS * HEAD, bias=False)
        self.to_out = nn.Linear(HEADS * HEAD, DIM, bias=False)

    def forward(self, x, latents):
        x, latents = self.norm1(x), self.norm2(latents)
        k, v = self.to_kv(torch.cat([x, latents], 1)).chunk(2, -1)
        q, k, v = (y.unflatten(2, (HEADS, HEAD)).transpose(1, 2) for y in (self.to_q(latents), k, v))
        return self.to_out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Resampler(nn.Module):
    """Under the names of the published files."""

    def __init__(self, out):
        super().__init__()
        self.latents = nn.Parameter(torch.randn(1, TOKENS, DIM) / DIM**0.5)
        self.proj_in = nn.Linear(CLIP["hidden_size"], DIM)
        self.layers = nn.ModuleList(
            nn.ModuleList([Perceiver(), nn.Sequential(nn.LayerNorm(DIM), nn.Linear(DIM, 4 * DIM, bias=False), nn.GELU(), nn.Linear(4 * DIM, DIM, bias=False))])
            for _ in range(DEPTH))
        self.proj_out, self.norm_out = nn.Linear(DIM, out), nn.LayerNorm(out)

    def forward(self, features):
        latents, x = self.latents.repeat(len(features), 1, 1), self.proj_in(features)
        for attention, feed_forward in self.layers:
            latents = latents + attention(x, latents)
            latents = latents + feed_forward(latents)
        return self.norm_out(self.proj_out(latents))


class BothTexts(nn.Module):
    """The U-Net's projection of the text, and beside it the tokens of images that are set before a forward pass."""

    def __init__(self, projection):
        super().__init__()
        self.projection, self.tokens = projection, None

    def forward(self, states):
        return self.projection(states), [self.tokens]


def look_at_images(unet):
    """Gives each cross-attention keys and values of its own for images, which begin as those of the text."""
    processors, numbered = dict(unet.attn_processors), {}
    for number, name in enumerate(processors):
        if name.endswith("attn2.processor"):
            attention = unet.get_submodule(name.removesuffix(".processor"))
            processor = IPAdapterAttnProcessor2_0(attention.to_q.out_features, unet.config.cross_attention_dim, (TOKENS,))
            processor.to_k_ip[0].weight.data.copy_(attention.to_k.weight)
            processor.to_v_ip[0].weight.data.copy_(attention.to_v.weight)
            processors[name] = numbered[number] = processor
    unet.set_attn_processor(processors)
    unet.encoder_hid_proj = BothTexts(unet.encoder_hid_proj)
    return numbered


def kept(unet):
    """What each cross-attention gives in the last forward pass, by its name."""
    given = {}
    for name, module in unet.named_modules():
        if name.endswith("attn2"):
            module.register_forward_hook(lambda _, inputs, output, name=name: given.__setitem__(name, output))
    return given


def unlike(given, wanted, rows):
    """The mean of squared differences, as a share of what is wanted."""
    each = [(given[name][rows] - wanted[name][rows]).square().mean() / wanted[name].square().mean() for name in wanted]
    return sum(each) / len(each)


def normalized(pictures):
    """U8 [n, h, w, 3] as CLIP's preprocessing makes them."""
    return (tensor(pictures) / 255 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def varied(pictures):
    """Somewhere else, softer, noisier, lighter or darker."""
    x = torch.roll(pictures, (random.randint(-5, 5), random.randint(-5, 5)), (2, 3))
    if random.random() < 0.4:
        x = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2, mode="bilinear")
    return x * random.uniform(0.93, 1.05) + 0.2 * random.random() * torch.randn_like(x)


def naming(named, obj, colour):
    """Cross entropy of naming object and background."""
    return F.cross_entropy(named[:, :-len(COLOURS)], obj) + F.cross_entropy(named[:, -len(COLOURS):], colour)


def tokens_of_captions(words, projection):
    """What the U-Net sees of a usual caption of each object and background: its padding, and its last words."""
    of = {}
    for pair, row in words.usual.items():
        states = projection(words.states[row].float())
        length = int((words.masks[row] > 0).sum()) - 1
        of[pair] = torch.cat([states[:1], states[max(1, length - TOKENS + 2):length + 1]])
        assert len(of[pair]) == TOKENS, pair
    return of


def train_encoder(encoder, head, resampler, pictures, labels, obj, colour, captions, clock, share):
    """Until so much of the time is over."""
    all_tokens = torch.stack(list(captions.values()))
    mean, std = all_tokens.mean((0, 1)), all_tokens.std((0, 1))
    resampler.norm_out.weight.data.copy_(std)
    resampler.norm_out.bias.data.copy_(mean)
    wanted = torch.stack([captions[int(o), int(c)] for o, c in labels])
    weights = [*encoder.parameters(), *head.parameters(), *resampler.parameters()]
    opt = torch.optim.AdamW(weights, 1e-3, weight_decay=0.02)
    step, right, begin = 0, [], clock.spent()
    while (spent := (clock.spent() - begin) / (share - begin)) < 1:
        for group in opt.param_groups:
            group["lr"] = 1.2e-3 * min(1, (step + 1) / 100) * (0.02 + 0.98 * (1 - spent))
        pick = torch.randint(0, len(pictures), (64,))
        seen = encoder(varied(pictures[pick]), output_hidden_states=True)
        y = head(seen.image_embeds)
        unlike_captions = ((resampler(seen.hidden_states[-2]) - wanted[pick]) / std).square().mean()
        loss = naming(y, obj[pick], colour[pick]) + 2 * unlike_captions
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        opt.step()
        step += 1
        right.append([(y[:, :-len(COLOURS)].argmax(1) == obj[pick]).float().mean().item(), unlike_captions.item()])
        if step % 50 == 0:
            print("encoder", step, clock.seconds(), "%.3f" % spent, "objects %.3f, unlike the captions' tokens %.3f" % tuple(np.mean(right[-50:], 0)), flush=True)


def main():
    p = parser(__doc__)
    p.add_argument("--checkpoint", default=CHECKPOINT)
    p.add_argument("--minutes", type=float, default=25, help="of CPU time")
    p.add_argument("--wall", type=float, default=1e9, help="minutes on the clock after which it ends in any case")
    p.add_argument("--resume", action="store_true", help="begin with what an earlier run saved")
    p.add_argument("--encoder", type=float, default=0.2, help="share of the time for what needs no U-Net; with 0, --resume goes on with the rest, too")
    p.add_argument("--batch", type=int, default=24)
    p.add_argument("--rate", type=float, default=1e-3)
    args = setup(p.parse_args())
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)
    clock = Clock(args.minutes, args.wall)
    objects = load_objects()
    keep, held = drawn(objects), set(held_out(objects))
    part = lambda kind, name: kind.from_pretrained(args.checkpoint, subfolder=name, variant="fp16", torch_dtype=torch.float32)
    unet, vae = part(UNet2DConditionModel, "unet").requires_grad_(False), part(AutoencoderKL, "vae").requires_grad_(False)
    unet = unet.to(memory_format=torch.channels_last)
    teacher = copy.deepcopy(unet)
    words = Words(args.checkpoint, objects, keep, held, random.Random(8), 2)
    data = np.load(os.path.join(args.work, "pictures.npz"))
    usable = np.array([k for k, label in enumerate(data["labels"]) if tuple(map(int, label)) in words.named])
    labels, pictures = data["labels"][usable], data["images"][usable]
    latents, pixels = encode(vae, tensor(pictures) / 127.5 - 1), normalized(pictures)
    print(len(words.states), "captions,", len(pictures), "pictures,", clock.seconds(), "s", flush=True)

    out = os.path.join(args.work, "ip_adapter")
    index = {o: i for i, o in enumerate(keep)}
    obj, colour = torch.tensor([index[int(o)] for o, _ in labels]), torch.tensor([int(c) for _, c in labels])
    head = nn.Linear(CLIP["projection_dim"], len(keep) + len(COLOURS))
    if args.resume:
        encoder = CLIPVisionModelWithProjection.from_pretrained(os.path.join(out, "image_encoder")).float()
    else:
        encoder = CLIPVisionModelWithProjection(CLIPVisionConfig(**CLIP))
    resampler = Resampler(unet.config.cross_attention_dim)
    if args.encoder:
        captions = tokens_of_captions(words, unet.encoder_hid_proj)
        train_encoder(encoder, head, resampler, pixels, labels, obj, colour, captions, clock, args.encoder)
    numbered = look_at_images(unet)
    if args.resume and not args.encoder:
        saved = load_file(os.path.join(out, ADAPTER))
        resampler.load_state_dict({name.removeprefix("image_proj."): value.float() for name, value in saved.items() if name.startswith("image_proj.")})
        for number, processor in numbered.items():
            for kv in ("to_k_ip", "to_v_ip"):
                getattr(processor, kv)[0].weight.data.copy_(saved[f"ip_adapter.{number}.{kv}.weight"])
    parts = [encoder, head, resampler, *numbered.values()]
    trained = [parameter for part in parts for parameter in part.parameters()]
    for parameter in trained:
        parameter.requires_grad_(True)
    ema = [parameter.detach().clone() for parameter in trained]
    opt = torch.optim.AdamW(trained, args.rate, betas=(0.9, 0.99), weight_decay=0.01)
    abar = scheduler().alphas_cumprod
    given, wanted = kept(unet), kept(teacher)

    def predict(sample, t, rows, image):
        states, mask, added = words.of(rows)
        seen = encoder(image, output_hidden_states=True)
        unet.encoder_hid_proj.tokens = resampler(seen.hidden_states[-2])
        return unet(sample, t, states, encoder_attention_mask=mask, added_cond_kwargs=added).sample, head(seen.image_embeds)

    show = np.random.default_rng(3).choice(len(pictures), 12, replace=False)

    def save():
        now = [parameter.detach().clone() for parameter in trained]
        with torch.no_grad():
            torch._foreach_copy_(trained, ema)
            tensors = {f"image_proj.{name}": value.half().clone() for name, value in resampler.state_dict().items()}
            for number, processor in numbered.items():
                for kv in ("to_k_ip", "to_v_ip"):
                    tensors[f"ip_adapter.{number}.{kv}.weight"] = getattr(processor, kv)[0].weight.half().clone()
            path = os.path.join(out, ADAPTER)
            save_file(tensors, path + ".part", {"format": "pt"})
            os.replace(path + ".part", path)
            encoder.half().save_pretrained(os.path.join(out, "image_encoder"))
            encoder.float()
            images = pixels[show]

            def sampled(x, t, rows):  # without words; what it is held against is the encoder's view of zeros
                return predict(x, t, torch.zeros_like(rows), images if rows.any() else torch.zeros_like(images))[0]

            sheet(out + ".png", torch.ones(len(show), dtype=torch.long), sampled, vae, [tensor(pictures[show]) / 127.5 - 1])
            torch._foreach_copy_(trained, now)

    step, losses, begin = 0, [], clock.spent()
    while (spent := clock.spent()) < 1:
        over = (spent - begin) / (1 - begin)
        for group in opt.param_groups:
            group["lr"] = args.rate * min(1, (step + 1) / 100) * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * over)))
        pick = np.random.randint(0, len(pictures), args.batch)
        image = varied(pixels[pick]) if random.random() < 0.5 else pixels[pick]
        rows, told, shown = [], [], []
        for i, (o, c) in enumerate(labels[pick]):
            u = random.random()
            named = random.choice(words.named[int(o), int(c)])
            if u < 0.1:
                image[i] = 0
            else:
                shown.append(i)
            told.append(0 if u < 0.1 else named)
            rows.append(named if u > 0.95 else random.choice(words.plain[int(o)]) if u > 0.85 else 0)
        x, noise = latents[pick], torch.randn(args.batch, 4, LATENT, LATENT)
        t = timesteps(len(abar), args.batch)
        a = abar[t].view(-1, 1, 1, 1)
        noisy = a.sqrt() * x + (1 - a).sqrt() * noise
        with torch.no_grad():
            states, mask, added = words.of(torch.tensor(told))
            target = teacher(noisy, t, states, encoder_attention_mask=mask, added_cond_kwargs=added).sample
        rows = torch.tensor(rows)
        pred, named = predict(noisy, t, rows, image)
        features = unlike(given, wanted, rows == 0)
        each = (pred - (target + noise) / 2).square().mean((1, 2, 3))
        opt.zero_grad()
        (min_snr(each, a) + 0.03 * features + 0.01 * naming(named[shown], obj[pick[shown]], colour[pick[shown]])).backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        opt.step()
        step += 1
        with torch.no_grad():
            torch._foreach_lerp_(ema, trained, 1 - min(0.995, (1 + step) / (10 + step)))
            losses.append([(pred - y).square().mean().item() for y in (noise, target)] + [features.item()])
        if step % 50 == 0:
            print(step, clock.seconds(), "%.3f" % spent, "to the noise %.4f, to the words' %.4f, in the attentions %.3f" % tuple(np.mean(losses[-100:], 0)), flush=True)
        if step in (20, 150) or step % 300 == 0:
            save()
    save()


if __name__ == "__main__":
    main()
