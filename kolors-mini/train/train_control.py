"""Trains what follows a picture: a ControlNet for edge maps, or a U-Net of nine channels that paints into a mask.

Both begin as the mini U-Net that is shipped. The ControlNet's new layers begin at zero and the U-Net stays as it is; of the
nine channels the five new ones begin at zero.
"""

import math
import os
import random

import cv2
import numpy as np
import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from PIL import Image
from safetensors.torch import save_file

import text
from common import COLOURS, SIZE, Clock, article, caption, drawn, held_out, load_objects, parser, setup
from prepare_data import background, bitmaps
from train_unet import embed, scheduler

CHECKPOINT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../src/main/checkpoint")
WEIGHTS = "diffusion_pytorch_model.safetensors"
EMBEDDING = (16, 32, 64)  # one more than the VAE halves a picture
LATENT = SIZE // 4


def control_net(unet):
    net = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=EMBEDDING)
    net.encoder_hid_proj.load_state_dict(unet.encoder_hid_proj.state_dict())
    return net


def painting_unet(unet):
    config = {name: value for name, value in unet.config.items() if name != "_name_or_path"}
    wide = UNet2DConditionModel.from_config(config | dict(in_channels=9))
    state = unet.state_dict()
    state["conv_in.weight"] = torch.cat([state["conv_in.weight"], torch.zeros_like(wide.conv_in.weight[:, 4:])], 1)
    wide.load_state_dict(state)
    return wide


def residuals(net, sample, t, states, mask, added, condition):
    """ControlNetModel.forward with its own text projection, and with a mask of the text, which the original does not take."""
    emb = net.time_embedding(net.time_proj(t))
    ids = net.add_time_proj(added["time_ids"].flatten()).reshape(len(sample), -1)
    emb = emb + net.add_embedding(torch.cat([added["text_embeds"], ids], -1))
    states, bias = net.encoder_hid_proj(states), ((1 - mask) * -10000).unsqueeze(1)
    x = net.conv_in(sample) + net.controlnet_cond_embedding(condition)
    skips = [x]
    for block in net.down_blocks:
        more = dict(encoder_hidden_states=states, encoder_attention_mask=bias) if getattr(block, "has_cross_attention", False) else {}
        x, kept = block(hidden_states=x, temb=emb, **more)
        skips += kept
    x = net.mid_block(x, emb, encoder_hidden_states=states, encoder_attention_mask=bias)
    return [zero(skip) for skip, zero in zip(skips, net.controlnet_down_blocks)], net.controlnet_mid_block(x)


def placed(emoji, colour, rng):
    """A picture whose thing is smaller, turned, mirrored and elsewhere, so that an edge map says more than the words."""
    k, w = 4, 58 * rng.uniform(0.7, 1.0)
    room = (SIZE - w) / 2 + 1
    cx, cy = SIZE / 2 + rng.uniform(-room, room), SIZE / 2 + rng.uniform(-room, room)
    angle, s, flip = math.radians(rng.uniform(-12, 12)), emoji.width / (w * k), rng.choice((-1, 1))
    a, b, d, e = flip * s * math.cos(angle), flip * s * math.sin(angle), -s * math.sin(angle), s * math.cos(angle)
    matrix = (a, b, emoji.width / 2 - (a * cx + b * cy) * k, d, e, emoji.height / 2 - (d * cx + e * cy) * k)
    big = emoji.convert("RGBa").transform((SIZE * k, SIZE * k), Image.AFFINE, matrix, Image.BILINEAR)
    px = np.asarray(big, np.float32).reshape(SIZE, k, SIZE, k, 4).mean((1, 3))
    return np.clip(np.rint(px[..., :3] + background(colour, rng, False) * (1 - px[..., 3:] / 255)), 0, 255).astype(np.uint8)


def edges(picture):
    return np.repeat(cv2.Canny(picture, 100, 200)[..., None], 3, 2)


def any_mask(rng):
    """A rectangle, an ellipse or a broad stroke, as large as people mark things, or all; 1 is painted anew."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    kind, middle = rng.random(), [rng.randrange(26, 39) for _ in range(2)]
    a, b = [rng.randrange(SIZE) for _ in range(2)], [rng.randrange(SIZE) for _ in range(2)]
    if kind < 0.08:
        return np.ones_like(mask)
    if kind < 0.40:  # all of the thing
        cv2.ellipse(mask, middle, [rng.randrange(22, 36), rng.randrange(22, 36)], 0, 0, 360, 1, -1)
    elif kind < 0.60:  # one side
        at = rng.randrange(16, 48)
        mask[:at] = 1
        mask = np.ascontiguousarray(np.rot90(mask, rng.randrange(4)))
    elif kind < 0.75:
        cv2.rectangle(mask, a, b, 1, -1)
    elif kind < 0.88:
        cv2.ellipse(mask, a, [rng.randrange(6, 40), rng.randrange(6, 40)], rng.randrange(180), 0, 360, 1, -1)
    else:
        cv2.line(mask, a, b, 1, rng.randrange(6, 24))
    return mask


@torch.no_grad()
def encode(vae, pictures):
    """Means of the posterior, scaled; of pictures from -1 to 1."""
    return torch.cat([vae.encode(pictures[i:i + 64]).latent_dist.mean for i in range(0, len(pictures), 64)]) * vae.config.scaling_factor


def tensor(pictures):
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float()


class Words:
    """Captions and what the text encoder makes of them: `named[o, c]` say the colour, `plain[o]` do not, `usual[o, c]` is of
    one form."""

    def __init__(self, folder, objects, keep, held, rng, each):
        part = os.path.join(folder, "text_encoder")
        encoder = text.glm.ChatGLMModel.from_pretrained(part, variant="fp16", torch_dtype=torch.float32).float().eval()
        tok = text.tokenizer(os.path.join(folder, "tokenizer"))
        sentences, self.named, self.plain = [""], {}, {}
        for o in sorted(keep):
            for lang in ("en", "zh"):
                for c in [None] + list(range(len(COLOURS))):
                    for _ in range(each if (o, c) not in held else 0):
                        self.named.setdefault((o, c or 0), []).append(len(sentences))
                        if c is None:
                            self.plain.setdefault(o, []).append(len(sentences))
                        sentences.append(caption(objects[o], c, lang, rng))
        self.usual = {}
        for o, c in self.named:
            self.usual[o, c] = len(sentences)
            sentences.append(f"{article(objects[o]['en'][0])} on a {COLOURS[c][0][0]} background")
        longest = max(len(ids) for ids in text.token_ids(tok, sentences))
        self.states, self.masks, self.pooled = embed(encoder, tok, sentences, longest)

    def of(self, rows):
        """States, mask and the U-Net's other conditions of some captions; 0 is the empty one."""
        mask = self.masks[rows]
        used = int((mask > 0).sum(1).max())
        ids = torch.tensor([[SIZE, SIZE, 0, 0, SIZE, SIZE]], dtype=torch.float32).repeat(len(rows), 1)
        return self.states[rows, :used].float(), mask[:, :used], dict(text_embeds=self.pooled[rows], time_ids=ids)


@torch.no_grad()
def sheet(path, rows, predict, vae, above, steps=14, guidance=3.0):
    """Draws with `predict(latents, t, rows)` and guidance, below the pictures `above`."""
    euler = scheduler()
    euler.set_timesteps(steps)
    x = torch.randn(len(rows), 4, LATENT, LATENT, generator=torch.Generator().manual_seed(1)) * euler.init_noise_sigma
    for t in euler.timesteps:
        both = euler.scale_model_input(x, t)
        each = t.repeat(len(rows))
        without, with_words = predict(both, each, torch.zeros_like(rows)), predict(both, each, rows)
        x = euler.step(without + guidance * (with_words - without), t, x).prev_sample
    drawn_here = vae.decode(x / vae.config.scaling_factor).sample.clamp(-1, 1)
    lines = [torch.cat(list(line), 2) for line in above + [drawn_here]]
    pixels = ((torch.cat(lines, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).resize((pixels.shape[1] * 2, pixels.shape[0] * 2), Image.NEAREST).save(path)


def min_snr(each, a, least=0.0):
    """Hang et al. 2023, of mean squared errors of the noise. With a `least` of 1, where there is more noise than picture the
    error of the picture counts: the first steps decide its colours, and an error in these hardly shows in so much noise."""
    snr = (a / (1 - a)).flatten()
    return (each * snr.clamp(least, 5) / snr).mean()


def timesteps(count, batch):
    t = torch.randint(0, count, (batch,))
    return torch.where(torch.rand(batch) < 0.4, torch.randint(count // 2, count, (batch,)), t)


def main():
    p = parser(__doc__)
    p.add_argument("--kind", choices=("controlnet", "inpainting"), required=True)
    p.add_argument("--checkpoint", default=CHECKPOINT)
    p.add_argument("--font", default="/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
    p.add_argument("--minutes", type=float, default=25, help="of CPU time")
    p.add_argument("--wall", type=float, default=1e9, help="minutes on the clock after which it ends in any case")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--rate", type=float, default=5e-4)
    p.add_argument("--resume", action="store_true", help="begin with what an earlier run saved")
    p.add_argument("--captions", type=int, default=2, help="of each object, colour and language")
    p.add_argument("--moved", type=int, default=5000, help="pictures whose thing is elsewhere, for the ControlNet")
    p.add_argument("--others", type=float, default=0.3, help="part of the masked pictures whose words are of another thing")
    p.add_argument("--masks", type=int, default=8000, help="masked pictures that are encoded beforehand")
    args = setup(p.parse_args())
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)
    rng = random.Random(7)
    clock = Clock(args.minutes, args.wall)
    objects = load_objects()
    keep, held = drawn(objects), set(held_out(objects))
    part = lambda kind, name: kind.from_pretrained(args.checkpoint, subfolder=name, variant="fp16", torch_dtype=torch.float32)
    unet, vae = part(UNet2DConditionModel, "unet").requires_grad_(False), part(AutoencoderKL, "vae").requires_grad_(False)
    words = Words(args.checkpoint, objects, keep, held, rng, args.captions)
    data = np.load(os.path.join(args.work, "pictures.npz"))
    usable = np.array([k for k, label in enumerate(data["labels"]) if tuple(map(int, label)) in words.named])
    labels, pictures = data["labels"][usable], data["images"][usable]

    if args.kind == "controlnet":
        emoji = {o: bitmap for o, bitmap in zip(keep, bitmaps(args.font, [objects[o] for o in keep]))}
        known = sorted(words.named)
        moved = [rng.choice(known) for _ in range(args.moved)]
        pictures = np.concatenate([pictures, np.stack([placed(emoji[o], c, rng) for o, c in moved])])
        labels = np.concatenate([labels, np.array(moved, labels.dtype)])
        model = control_net(unet)
        source = np.arange(len(pictures))
        condition = torch.from_numpy(np.stack([edges(picture) for picture in pictures])).permute(0, 3, 1, 2)  # U8
    else:
        model = painting_unet(unet)
        source = np.random.randint(0, len(pictures), args.masks)
        mask = torch.from_numpy(np.stack([any_mask(rng) for _ in source]))[:, None].float()
        masked = encode(vae, (tensor(pictures[source]) / 127.5 - 1) * (mask < 0.5))
        condition = torch.cat([mask[:, :, ::4, ::4], masked], 1)
    latents = encode(vae, tensor(pictures) / 127.5 - 1)
    print(len(words.states), "captions,", len(pictures), "pictures,", clock.seconds(), "s", flush=True)

    out = os.path.join(args.work, args.kind)
    if args.resume:
        model.load_state_dict(type(model).from_pretrained(out).float().state_dict())
    unet, model = (each.to(memory_format=torch.channels_last) for each in (unet, model))  # a quarter faster
    model.requires_grad_(True).train()
    ema = [parameter.detach().clone() for parameter in model.parameters()]
    opt = torch.optim.AdamW(model.parameters(), args.rate, betas=(0.9, 0.99), weight_decay=0.01)
    abar = scheduler().alphas_cumprod
    step, losses = 0, []

    def predict(sample, t, rows, given):
        states, m, added = words.of(rows)
        if args.kind == "inpainting":
            return model(torch.cat([sample, given], 1), t, states, encoder_attention_mask=m, added_cond_kwargs=added).sample
        down, mid = residuals(model, sample, t, states, m, added, given.float() / 255)
        return unet(sample, t, states, encoder_attention_mask=m, added_cond_kwargs=added,
                    down_block_additional_residuals=down, mid_block_additional_residual=mid).sample

    show = np.random.default_rng(3).choice(len(source), 12, replace=False)
    if args.kind == "controlnet":
        show[:8] = np.arange(len(source))[-8:]
    others = [words.plain[int(labels[source[k]][0])][0] if i % 3 else words.plain[keep[7 * i % len(keep)]][0] for i, k in enumerate(show)]

    def save():
        now = [parameter.detach().clone() for parameter in model.parameters()]
        with torch.no_grad():
            torch._foreach_copy_(list(model.parameters()), ema)
            model.save_config(out)
            halves = {name: value.half().contiguous() for name, value in model.state_dict().items()}
            save_file(halves, os.path.join(out, WEIGHTS + ".part"), {"format": "pt"})
            os.replace(os.path.join(out, WEIGHTS + ".part"), os.path.join(out, WEIGHTS))
            above = [tensor(pictures[source[show]]) / 127.5 - 1]
            above.append(condition[show].float() / 127.5 - 1 if args.kind == "controlnet" else above[0] * (mask[show] < 0.5))
            sheet(f"{out}.png", torch.tensor(others), lambda x, t, rows: predict(x, t, rows, condition[show]), vae, above)
            torch._foreach_copy_(list(model.parameters()), now)

    while (spent := clock.spent()) < 1:
        for group in opt.param_groups:
            group["lr"] = args.rate * min(1, (step + 1) / 100) * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * spent)))
        pick = np.random.randint(0, len(source), args.batch)
        which = source[pick]
        # A net of edges often sees no words: it must not leave to the words what the edges say. One that paints often sees no
        # word about the background: the picture around the mask tells.
        without, plain = (0.5, 0.6) if args.kind == "controlnet" else (0.1, 0.3)
        rows = []
        for o, c in labels[which]:
            u = random.random()
            if u < without:
                rows.append(0)
            else:
                rows.append(random.choice(words.plain[int(o)] if u > plain else words.named[int(o), int(c)]))
        # It also sees words for another thing, and learns from these outside of the mask alone: what is there stays, whatever
        # the words say. Half a dog on which a fox is asked for would else become a whole fox.
        counts = torch.ones(args.batch, 1, LATENT, LATENT)
        if args.kind == "inpainting":
            for k in range(args.batch):
                if random.random() < args.others:
                    rows[k] = random.choice(words.plain[random.choice(keep)])
                    counts[k] = 1 - condition[pick[k], :1]
        x, noise = latents[which], torch.randn(args.batch, 4, LATENT, LATENT)
        t = timesteps(len(abar), args.batch)
        a = abar[t].view(-1, 1, 1, 1)
        pred = predict(a.sqrt() * x + (1 - a).sqrt() * noise, t, torch.tensor(rows), condition[pick])
        each = ((pred - noise).square() * counts).mean((1, 2, 3)) / counts.mean((1, 2, 3)).clamp(min=0.1)
        opt.zero_grad()
        min_snr(each, a, 0 if args.kind == "controlnet" else 1).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        step += 1
        with torch.no_grad():
            torch._foreach_lerp_(ema, list(model.parameters()), 1 - min(0.995, (1 + step) / (10 + step)))
        losses.append(each.mean().item())
        if step % 50 == 0:
            print(step, clock.seconds(), "%.3f" % spent, "loss %.4f" % np.mean(losses[-100:]), flush=True)
        if step in (20, 100) or step % 400 == 0:
            save()
    save()


if __name__ == "__main__":
    main()
