"""Compiled kernels on pictures, float32 `(h, w, c)`: optical flow and warping.

They use no fast maths, so that a design has the same picture on every machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from modiste.jit import compiled

OVER_RELAXATION = 1.85  # of successive over-relaxation: between 1 and 2; converges fastest near 2 on large grids


@compiled()
def linearise(target: Any, source: Any, flow: Any, equations: Any) -> None:
    """Fill in the normal equations of each pixel's match, `(h, w, 5)`, around the present flow `(h, w, 2)`.

    With I the source at p + u, sampled bilinearly: Σ Ix², Σ Ix·Iy, Σ Iy², Σ Ix·e and Σ Iy·e over the channels, where
    e = target − I + ∇I·u. So the flow that matches best solves [[0, 1], [1, 2]] u = [3, 4].
    """
    h, w, channels = target.shape
    for y in range(h):
        for x in range(w):
            v, u = flow[y, x, 0], flow[y, x, 1]
            at_y = min(max(y + v, np.float32(0.0)), np.float32(h - 1.001))
            at_x = min(max(x + u, np.float32(0.0)), np.float32(w - 1.001))
            top, left = int(at_y), int(at_x)
            b, a = at_y - np.float32(top), at_x - np.float32(left)
            xx = xy = yy = xe = ye = np.float32(0.0)
            for c in range(channels):
                p00, p01 = source[top, left, c], source[top, left + 1, c]
                p10, p11 = source[top + 1, left, c], source[top + 1, left + 1, c]
                upper, lower = p00 + a * (p01 - p00), p10 + a * (p11 - p10)
                value = upper + b * (lower - upper)
                gx = (p01 - p00) + b * ((p11 - p10) - (p01 - p00))
                gy = lower - upper
                error = target[y, x, c] - value + gx * u + gy * v
                xx += gx * gx
                xy += gx * gy
                yy += gy * gy
                xe += gx * error
                ye += gy * error
            equations[y, x, 0] = xx
            equations[y, x, 1] = xy
            equations[y, x, 2] = yy
            equations[y, x, 3] = xe
            equations[y, x, 4] = ye


@compiled()
def smooth_solve(equations: Any, flow: Any, smoothness: np.float32, sweeps: int) -> None:
    """Solve for the flow `(h, w, 2)`, in place, by `sweeps` of successive over-relaxation.

    It minimises the error of each pixel's equations plus `smoothness` × the squared differences to its four neighbours
    (Horn and Schunck 1981).
    """
    h, w = flow.shape[0], flow.shape[1]
    omega = np.float32(OVER_RELAXATION)
    for _ in range(sweeps):
        for y in range(h):
            for x in range(w):
                v = u = count = np.float32(0.0)
                if y > 0:
                    v += flow[y - 1, x, 0]
                    u += flow[y - 1, x, 1]
                    count += np.float32(1.0)
                if y < h - 1:
                    v += flow[y + 1, x, 0]
                    u += flow[y + 1, x, 1]
                    count += np.float32(1.0)
                if x > 0:
                    v += flow[y, x - 1, 0]
                    u += flow[y, x - 1, 1]
                    count += np.float32(1.0)
                if x < w - 1:
                    v += flow[y, x + 1, 0]
                    u += flow[y, x + 1, 1]
                    count += np.float32(1.0)
                xx = equations[y, x, 0] + smoothness * count
                yy = equations[y, x, 2] + smoothness * count
                xy = equations[y, x, 1]
                right_x = equations[y, x, 3] + smoothness * u
                right_y = equations[y, x, 4] + smoothness * v
                determinant = xx * yy - xy * xy
                new_u = (yy * right_x - xy * right_y) / determinant
                new_v = (xx * right_y - xy * right_x) / determinant
                flow[y, x, 0] += omega * (new_v - flow[y, x, 0])
                flow[y, x, 1] += omega * (new_u - flow[y, x, 1])


@compiled()
def enlarge(picture: Any, ratio: Any, out: Any) -> None:
    """Fill in `out` `(H, W, c)`: the picture enlarged `ratio` times, bilinearly, as `torch.interpolate` does."""
    h, w, channels = picture.shape
    for y in range(out.shape[0]):
        at_y = min(max((np.float32(y) + np.float32(0.5)) / ratio - np.float32(0.5), np.float32(0.0)), np.float32(h - 1))
        top = min(int(at_y), h - 2)
        b = at_y - np.float32(top)
        for x in range(out.shape[1]):
            at_x = (np.float32(x) + np.float32(0.5)) / ratio - np.float32(0.5)
            at_x = min(max(at_x, np.float32(0.0)), np.float32(w - 1))
            left = min(int(at_x), w - 2)
            a = at_x - np.float32(left)
            for c in range(channels):
                upper = picture[top, left, c] + a * (picture[top, left + 1, c] - picture[top, left, c])
                lower = picture[top + 1, left, c] + a * (picture[top + 1, left + 1, c] - picture[top + 1, left, c])
                out[y, x, c] = upper + b * (lower - upper)


@compiled()
def warp_cubic(picture: Any, flow: Any, out: Any) -> None:
    """Fill in `out` `(H, W, c)`: the picture at p + flow(p), with Catmull–Rom weights; beyond its border, the border.

    `flow` is `(H, W, 2)`: down and right, in pixels.
    """
    height, width, channels = picture.shape
    weight_y, weight_x = np.empty(4, np.float32), np.empty(4, np.float32)
    column = np.empty(4, np.intp)
    for y in range(height):
        for x in range(width):
            at_y = min(max(np.float32(y) + flow[y, x, 0], np.float32(-1.0)), np.float32(height))
            at_x = min(max(np.float32(x) + flow[y, x, 1], np.float32(-1.0)), np.float32(width))
            top, left = int(np.floor(at_y)), int(np.floor(at_x))
            catmull_rom(at_y - np.float32(top), weight_y)
            catmull_rom(at_x - np.float32(left), weight_x)
            for j in range(4):
                column[j] = min(max(left - 1 + j, 0), width - 1)
            for c in range(channels):
                out[y, x, c] = np.float32(0.0)
            for i in range(4):
                row = min(max(top - 1 + i, 0), height - 1)
                for j in range(4):
                    weight = weight_y[i] * weight_x[j]
                    for c in range(channels):
                        out[y, x, c] += weight * picture[row, column[j], c]


@compiled()
def catmull_rom(t: np.float32, weights: Any) -> None:
    """Fill in the four weights of a Catmull–Rom spline at `t` from 0 to 1 between the second and the third point."""
    half = np.float32(0.5)
    t2, t3 = t * t, t * t * t
    weights[0] = half * (-t + np.float32(2.0) * t2 - t3)
    weights[1] = half * (np.float32(2.0) - np.float32(5.0) * t2 + np.float32(3.0) * t3)
    weights[2] = half * (t + np.float32(4.0) * t2 - np.float32(3.0) * t3)
    weights[3] = half * (t3 - t2)


@compiled()
def shrink(picture: Any, ratio: Any, out: Any) -> None:
    """Fill in `out` `(h, w, c)`: averages over blocks of `ratio` × `ratio` pixels; at the edge, of those that exist."""
    height, width, channels = picture.shape
    total = np.empty(channels, np.float32)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            total[:] = np.float32(0.0)
            bottom, right = min((y + 1) * ratio, height), min((x + 1) * ratio, width)
            for i in range(y * ratio, bottom):
                for j in range(x * ratio, right):
                    for c in range(channels):
                        total[c] += picture[i, j, c]
            count = np.float32((bottom - y * ratio) * (right - x * ratio))
            for c in range(channels):
                out[y, x, c] = total[c] / count


@compiled()
def compose(drawing: Any, photo: Any, flow: Any, correction: Any, ratio: Any, out: Any) -> None:
    """Fill in `out`, uint8 `(H, W, 3)`: the photo moved by the flow, plus the correction.

    Where the shapes disagree, `out` is the drawing. `flow` `(h, w, 2)` and `correction` `(h, w, 4)`, three colours and
    the agreement of the shapes, are on a grid that is `ratio` times coarser than `drawing` and `photo`.
    """
    height, width = photo.shape[0], photo.shape[1]
    h, w = flow.shape[0], flow.shape[1]
    left, right_share = np.empty(width, np.intp), np.empty(width, np.float32)
    for x in range(width):
        at = min(max((np.float32(x) + np.float32(0.5)) / ratio - np.float32(0.5), np.float32(0.0)), np.float32(w - 1))
        left[x] = min(int(at), w - 2)
        right_share[x] = at - np.float32(left[x])
    # One row of the frame on the grid: flow, colours, reliability.
    line = np.empty((w, 6), np.float32)
    weight_y, weight_x = np.empty(4, np.float32), np.empty(4, np.float32)
    column = np.empty(4, np.intp)
    for y in range(height):
        at = min(max((np.float32(y) + np.float32(0.5)) / ratio - np.float32(0.5), np.float32(0.0)), np.float32(h - 1))
        top = min(int(at), h - 2)
        b = at - np.float32(top)
        for x in range(w):
            for c in range(2):
                line[x, c] = flow[top, x, c] + b * (flow[top + 1, x, c] - flow[top, x, c])
            for c in range(4):
                upper = correction[top, x, c]
                line[x, 2 + c] = upper + b * (correction[top + 1, x, c] - upper)
        for x in range(width):
            i, a = left[x], right_share[x]
            v = line[i, 0] + a * (line[i + 1, 0] - line[i, 0])
            u = line[i, 1] + a * (line[i + 1, 1] - line[i, 1])
            red = line[i, 2] + a * (line[i + 1, 2] - line[i, 2])
            green = line[i, 3] + a * (line[i + 1, 3] - line[i, 3])
            blue = line[i, 4] + a * (line[i + 1, 4] - line[i, 4])
            share = line[i, 5] + a * (line[i + 1, 5] - line[i, 5])
            at_y = min(max(np.float32(y) + ratio * v, np.float32(-1.0)), np.float32(height))
            at_x = min(max(np.float32(x) + ratio * u, np.float32(-1.0)), np.float32(width))
            row0, column0 = int(np.floor(at_y)), int(np.floor(at_x))
            catmull_rom(at_y - np.float32(row0), weight_y)
            catmull_rom(at_x - np.float32(column0), weight_x)
            for j in range(4):
                column[j] = min(max(column0 - 1 + j, 0), width - 1)
            for k in range(4):
                row = min(max(row0 - 1 + k, 0), height - 1)
                for j in range(4):
                    weight = weight_y[k] * weight_x[j]
                    red += weight * photo[row, column[j], 0]
                    green += weight * photo[row, column[j], 1]
                    blue += weight * photo[row, column[j], 2]
            rest = np.float32(1.0) - share
            out[y, x, 0] = to_byte(share * red + rest * drawing[y, x, 0])
            out[y, x, 1] = to_byte(share * green + rest * drawing[y, x, 1])
            out[y, x, 2] = to_byte(share * blue + rest * drawing[y, x, 2])


@compiled()
def to_byte(value: Any) -> Any:
    """Round a colour to 0 to 255."""
    return np.uint8(min(max(value + np.float32(0.5), np.float32(0.0)), np.float32(255.0)))
