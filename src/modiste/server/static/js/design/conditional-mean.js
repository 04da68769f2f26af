// The conditional mean of a code under the Gaussian mixture of the catalogue: the free latents follow the fixed ones. The
// server's latent/conditional_mean.py does the same and explains it.

/** @typedef {import("../core/api.js").Mixture} Mixture */
/** @typedef {ArrayLike<number>} Vector */

const FREEDOM = 1;
const PASSES = 2;
const MIN_LENGTH = 1e-3;

/** @param {Vector} a @param {Vector} b */
function dotProduct(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** @param {number[][]} matrix @param {Vector} vector */
const times = (matrix, vector) => matrix.map((row) => dotProduct(row, vector));

/**
 * Return the lower triangular L with L Lᵀ = matrix, which is symmetric and positive definite (Cholesky decomposition).
 * @param {number[][]} matrix
 */
function cholesky(matrix) {
  /** @type {number[][]} */
  const factor = matrix.map((row) => row.map(() => 0));
  for (let i = 0; i < matrix.length; i++) {
    for (let j = 0; j <= i; j++) {
      let rest = matrix[i][j];
      for (let k = 0; k < j; k++) rest -= factor[i][k] * factor[j][k];
      factor[i][j] = i === j ? Math.sqrt(rest) : rest / factor[j][j];
    }
  }
  return factor;
}

/** Return x with L Lᵀ x = right. @param {number[][]} factor L @param {Vector} right */
function solve(factor, right) {
  const x = Array.from(right);
  const n = x.length;
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= factor[i][k] * x[k];
    x[i] /= factor[i][i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= factor[k][i] * x[k];
    x[i] /= factor[i][i];
  }
  return x;
}

/** Return orthonormal vectors that span what is fixed. @param {number} n @param {number[]} fixed @param {Vector[]} directions */
function orthonormalRows(n, fixed, directions) {
  const rows = fixed.map((latent) => Array.from({ length: n }, (_, i) => Number(i === latent)));
  for (const direction of directions) {
    const rest = Array.from(direction);
    for (const row of rows) {
      const share = dotProduct(direction, row);
      row.forEach((x, i) => {
        rest[i] -= share * x;
      });
    }
    const length = Math.sqrt(dotProduct(rest, rest));
    if (length > MIN_LENGTH * Math.sqrt(dotProduct(direction, direction)))
      rows.push(rest.map((x) => x / length));
  }
  return rows;
}

/**
 * Return a code whose free latents follow the fixed ones.
 * @param {Mixture} mixture @param {Vector} code @param {number[]} fixed the latents that keep their values
 * @param {Vector[]} [directions] what the code has along each of them is kept too @returns {Float32Array}
 */
export function condition({ weights, means, covariances }, code, fixed, directions = []) {
  const n = code.length;
  const kept = orthonormalRows(n, fixed, directions);
  if (kept.length === 0 || kept.length === n) return Float32Array.from(code);
  const freedom = FREEDOM * meanVariance({ weights, means, covariances });
  const parts = means.map((mean, c) => {
    const covariance = covariances[c];
    const along = kept.map((row) => times(covariance, row));
    const within = cholesky(kept.map((row) => times(along, row)));
    const gap = times(
      kept,
      mean.map((x, i) => code[i] - x),
    );
    // What the fixed values say about each latent.
    const gain = mean.map((_, i) =>
      solve(
        within,
        along.map((row) => row[i]),
      ),
    );
    const spread = covariance.map((row, i) =>
      row.map((x, j) => x - gain[i].reduce((sum, each, k) => sum + each * along[k][j], 0)),
    );
    const padded = cholesky(
      spread.map((row, i) => row.map((x, j) => (spread[j][i] + x) / 2 + (i === j ? freedom : 0))),
    );
    return {
      expected: mean.map((x, i) => x + dotProduct(gain[i], gap)),
      spread,
      padded,
      logShare:
        Math.log(weights[c]) -
        0.5 * (dotProduct(gap, solve(within, gap)) + logDeterminant(within) + logDeterminant(padded)),
    };
  });
  let z = Array.from(code);
  for (let pass = 0; pass < PASSES; pass++) {
    const moves = parts.map(({ expected, spread, padded, logShare }) => {
      const change = expected.map((x, i) => z[i] - x);
      const pull = solve(padded, change);
      return {
        moved: expected.map((x, i) => x + dotProduct(spread[i], pull)),
        evidence: logShare - 0.5 * dotProduct(change, pull),
      };
    });
    const most = Math.max(...moves.map(({ evidence }) => evidence));
    const shares = moves.map(({ evidence }) => Math.exp(evidence - most));
    const total = shares.reduce((sum, share) => sum + share, 0);
    z = z.map((_, i) => moves.reduce((sum, { moved }, c) => sum + (shares[c] / total) * moved[i], 0));
  }
  const result = Float32Array.from(z);
  for (const latent of fixed) result[latent] = code[latent];
  return result;
}

/** Return log det(L Lᵀ). @param {number[][]} factor L */
const logDeterminant = (factor) => factor.reduce((sum, row, i) => sum + 2 * Math.log(row[i]), 0);

/** Return the mean variance of the latents over the whole mixture. @param {Mixture} mixture */
function meanVariance({ weights, means, covariances }) {
  const n = means[0].length;
  let total = 0;
  for (let i = 0; i < n; i++) {
    const mean = weights.reduce((sum, weight, c) => sum + weight * means[c][i], 0);
    total += weights.reduce(
      (sum, weight, c) => sum + weight * (covariances[c][i][i] + means[c][i] ** 2),
      -mean * mean,
    );
  }
  return total / n;
}
