#include "numerics/inner_products.hpp"

#include <algorithm>

namespace kpm {

void portable::dot_tile(const double* a, Eigen::Index a_stride, const double* b,
                        Eigen::Index b_stride, Eigen::Index count, DotTile& tile) {
  using Two = Eigen::Array2d;
  using View = Eigen::Map<const Two>;
  // Two columns at a time: eight sums fit into the registers of every processor.
  for (Eigen::Index c = 0; c < DotTile::kRows; c += 2) {
    const double* const b0 = b + c * b_stride;
    const double* const b1 = b0 + b_stride;
    const double* const a1 = a + a_stride;
    const double* const a2 = a1 + a_stride;
    const double* const a3 = a2 + a_stride;
    Two s00(0.0, 0.0), s10(0.0, 0.0), s20(0.0, 0.0), s30(0.0, 0.0);
    Two s01(0.0, 0.0), s11(0.0, 0.0), s21(0.0, 0.0), s31(0.0, 0.0);
    for (Eigen::Index i = 0; i < count; i += 2) {
      const Two x0 = View(b0 + i);
      const Two x1 = View(b1 + i);
      const Two y0 = View(a + i);
      s00 += y0 * x0;
      s01 += y0 * x1;
      const Two y1 = View(a1 + i);
      s10 += y1 * x0;
      s11 += y1 * x1;
      const Two y2 = View(a2 + i);
      s20 += y2 * x0;
      s21 += y2 * x1;
      const Two y3 = View(a3 + i);
      s30 += y3 * x0;
      s31 += y3 * x1;
    }
    const Two* const sums[][2] = {{&s00, &s01}, {&s10, &s11}, {&s20, &s21}, {&s30, &s31}};
    for (Eigen::Index r = 0; r < DotTile::kRows; ++r) {
      for (Eigen::Index of = 0; of < 2; ++of) {
        tile.even[r][c + of] = (*sums[r][of])[0];
        tile.odd[r][c + of] = (*sums[r][of])[1];
      }
    }
  }
}

void portable::add_four_rows(const double* times, const double* rows, Eigen::Index stride,
                             Eigen::Index count, double* out) {
  using Line = Eigen::Map<const Array>;
  Eigen::Map<Array>(out, count) +=
      times[0] * Line(rows, count) + times[1] * Line(rows + stride, count) +
      times[2] * Line(rows + 2 * stride, count) + times[3] * Line(rows + 3 * stride, count);
}

void portable::subtract_row(double times, const double* row, Eigen::Index count, double* out) {
  Eigen::Map<Array>(out, count) -= times * Eigen::Map<const Array>(row, count);
}

void portable::subtract_row(const double* times, const double* row, Eigen::Index count,
                            double* const* rows, Eigen::Index many) {
  for (Eigen::Index r = 0; r < many; ++r) {
    subtract_row(times[r], row, count, rows[r]);
  }
}

void portable::subtract_rows(const double* times, const double* const* rows, Eigen::Index many,
                             Eigen::Index count, double* out) {
  for (Eigen::Index r = 0; r < many; ++r) {
    subtract_row(times[r], rows[r], count, out);
  }
}

void dot_tile(const double* a, Eigen::Index a_stride, const double* b, Eigen::Index b_stride,
              Eigen::Index count, DotTile& tile) {
#if defined(KPM_HAS_AVX2)
  if (avx2::supported()) {
    avx2::dot_tile(a, a_stride, b, b_stride, count, tile);
    return;
  }
#endif
  portable::dot_tile(a, a_stride, b, b_stride, count, tile);
}

void add_four_rows(const double* times, const double* rows, Eigen::Index stride, Eigen::Index count,
                   double* out) {
#if defined(KPM_HAS_AVX2)
  if (avx2::supported()) {
    avx2::add_four_rows(times, rows, stride, count, out);
    return;
  }
#endif
  portable::add_four_rows(times, rows, stride, count, out);
}

void subtract_row(double times, const double* row, Eigen::Index count, double* out) {
#if defined(KPM_HAS_AVX2)
  if (avx2::supported()) {
    avx2::subtract_row(times, row, count, out);
    return;
  }
#endif
  portable::subtract_row(times, row, count, out);
}

void subtract_row(const double* times, const double* row, Eigen::Index count, double* const* rows,
                  Eigen::Index many) {
#if defined(KPM_HAS_AVX2)
  if (avx2::supported()) {
    avx2::subtract_row(times, row, count, rows, many);
    return;
  }
#endif
  portable::subtract_row(times, row, count, rows, many);
}

void subtract_rows(const double* times, const double* const* rows, Eigen::Index many,
                   Eigen::Index count, double* out) {
#if defined(KPM_HAS_AVX2)
  if (avx2::supported()) {
    avx2::subtract_rows(times, rows, many, count, out);
    return;
  }
#endif
  portable::subtract_rows(times, rows, many, count, out);
}

void add_gram_by_tiles(const double* rows, Eigen::Index size, Eigen::Index count, double* out,
                       Eigen::Index out_stride) {
  constexpr Eigen::Index kRows = DotTile::kRows;
  using View = Eigen::Map<const DotTile::Row>;
  const Eigen::Index last = count - 1;
  DotTile tile;
  // The last tiles overlap with those before: what these have added is left as it is.
  for (Eigen::Index k = 0; k < size; k += kRows) {
    const Eigen::Index top = std::min(k, size - kRows);
    const double* const a = rows + top * count;
    for (Eigen::Index l = 0; l <= top + kRows - 1; l += kRows) {
      const Eigen::Index left = std::min(l, size - kRows);
      const double* const b = rows + left * count;
      dot_tile(a, count, b, count, count & ~Eigen::Index{1}, tile);
      for (Eigen::Index r = 0; r < kRows && count % 2 != 0; ++r) {
        for (Eigen::Index c = 0; c < kRows; ++c) {
          tile.even[r][c] += a[r * count + last] * b[c * count + last];
        }
      }
      for (Eigen::Index r = k - top; r < kRows; ++r) {
        const DotTile::Row sum = View(tile.even[r]) + View(tile.odd[r]);
        double* const entry = out + (top + r) * out_stride + left;
        if (left == l && l + kRows <= top + r) {
          Eigen::Map<DotTile::Row>(entry) += sum;
          continue;
        }
        for (Eigen::Index c = l - left; c < kRows && left + c <= top + r; ++c) {
          entry[c] += sum[c];
        }
      }
    }
  }
}

}  // namespace kpm
