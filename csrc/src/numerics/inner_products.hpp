// Inner products of many rows with many. Every one has the bits of dot(), on every processor:
// library kernels divide long sums by the sizes of the processor's caches.
#pragma once

#include "numerics/dense.hpp"

namespace kpm {

/// Sums of the even and of the odd products of four rows with four. Their sum is a dot(); where the
/// number of products is odd, the last one joins the even ones.
struct DotTile {
  static constexpr Eigen::Index kRows = 4;
  using Row = Eigen::Array<double, kRows, 1>;

  double even[kRows][kRows];
  double odd[kRows][kRows];
};

/// Fill `tile` with four rows from `a`, and four from `b`, over an even `count`.
void dot_tile(const double* a, Eigen::Index a_stride, const double* b, Eigen::Index b_stride,
              Eigen::Index count, DotTile& tile);

/// out += times[0] row 0 + ... + times[3] row 3, entry by entry.
void add_four_rows(const double* times, const double* rows, Eigen::Index stride, Eigen::Index count,
                   double* out);

/// out -= times row.
void subtract_row(double times, const double* row, Eigen::Index count, double* out);
/// The same for many rows: rows[r] -= times[r] row.
void subtract_row(const double* times, const double* row, Eigen::Index count, double* const* rows,
                  Eigen::Index many);
/// out -= times[0] rows[0] + ..., in this order.
void subtract_rows(const double* times, const double* const* rows, Eigen::Index many,
                   Eigen::Index count, double* out);

/// The lower triangle of `out` plus rows rows', by tiles: `size` is at least
/// four.
void add_gram_by_tiles(const double* rows, Eigen::Index size, Eigen::Index count, double* out,
                       Eigen::Index out_stride);

/// The lower triangle of a row-major matrix plus rows rows', for `size` rows of `count` entries.
/// The same bits with and without tiles, which pay from a certain size on.
inline void add_gram(const double* rows, Eigen::Index size, Eigen::Index count, double* out,
                     Eigen::Index out_stride) {
  constexpr Eigen::Index kByTiles = 256;
  if (size >= DotTile::kRows && size * count > kByTiles) {
    add_gram_by_tiles(rows, size, count, out, out_stride);
    return;
  }
  for (Eigen::Index k = 0; k < size; ++k) {
    for (Eigen::Index l = 0; l <= k; ++l) {
      out[k * out_stride + l] += dot(rows + k * count, rows + l * count, count);
    }
  }
}

template <class Rows, class Square>
void add_gram(const Rows& rows, Square& matrix) {
  add_gram(rows.data(), rows.rows(), rows.cols(), matrix.data(), matrix.cols());
}

namespace portable {

void dot_tile(const double* a, Eigen::Index a_stride, const double* b, Eigen::Index b_stride,
              Eigen::Index count, DotTile& tile);
void add_four_rows(const double* times, const double* rows, Eigen::Index stride, Eigen::Index count,
                   double* out);
void subtract_row(double times, const double* row, Eigen::Index count, double* out);
void subtract_row(const double* times, const double* row, Eigen::Index count, double* const* rows,
                  Eigen::Index many);
void subtract_rows(const double* times, const double* const* rows, Eigen::Index many,
                   Eigen::Index count, double* out);

}  // namespace portable

#if defined(__x86_64__) && defined(__GNUC__)
#define KPM_HAS_AVX2 1

/// The same bits in half the instructions, on processors that can.
namespace avx2 {

bool supported();
void dot_tile(const double* a, Eigen::Index a_stride, const double* b, Eigen::Index b_stride,
              Eigen::Index count, DotTile& tile);
void add_four_rows(const double* times, const double* rows, Eigen::Index stride, Eigen::Index count,
                   double* out);
void subtract_row(double times, const double* row, Eigen::Index count, double* out);
void subtract_row(const double* times, const double* row, Eigen::Index count, double* const* rows,
                  Eigen::Index many);
void subtract_rows(const double* times, const double* const* rows, Eigen::Index many,
                   Eigen::Index count, double* out);

}  // namespace avx2
#endif

}  // namespace kpm
