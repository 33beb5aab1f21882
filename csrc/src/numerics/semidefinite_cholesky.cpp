#include "numerics/semidefinite_cholesky.hpp"

namespace kpm::cholesky {

namespace {

constexpr Eigen::Index kRows = DotTile::kRows;

/// A row's entries in four columns, from the products with the columns before these.
void finish_row(const double* matrix, const double* inverse, const double (*follows)[kRows],
                double* even, double* odd, double* row) {
  for (Eigen::Index c = 0; c < kRows; ++c) {
    row[c] = (matrix[c] - (even[c] + odd[c])) * inverse[c];
    Eigen::Map<DotTile::Row>(c % 2 == 0 ? even : odd) +=
        row[c] * Eigen::Map<const DotTile::Row>(follows[c]);
  }
}

}  // namespace

void compute_columns(const Parts& parts, const double* matrix, Eigen::Index columns,
                     Eigen::Index first, double redundant) {
  const auto [factor, stride, size] = parts;
  double* const pivot = factor + stride * stride;
  double* const inverse = pivot + stride;
  double* const scaled = inverse + stride;  // the rows times the pivots
  const Eigen::Index end = std::min(first + kRows, size);
  const Eigen::Index width = end - first;
  double rest[kRows];
  for (Eigen::Index c = 0; c < width; ++c) {
    rest[c] = matrix[(first + c) * (columns + 1)];
  }
  for (Eigen::Index p = 0; p < first; ++p) {
    for (Eigen::Index c = 0; c < width; ++c) {
      const double entry = factor[(first + c) * stride + p];
      const double product = entry * pivot[p];
      scaled[c * stride + p] = product;
      rest[c] -= product * entry;
    }
  }
  double follows[kRows][kRows] = {};  // entries of the rows times the pivots in their own columns
  for (Eigen::Index c = 0; c < width; ++c) {
    const Eigen::Index j = first + c;
    double* const row = scaled + c * stride;
    for (Eigen::Index p = first; p < j; ++p) {
      const double entry = factor[j * stride + p];
      row[p] = entry * pivot[p];
      follows[p - first][c] = row[p];
      rest[c] -= row[p] * entry;
    }
    // A redundant row gets pivot 0 and an empty column: it neither moves nor is moved.
    pivot[j] = rest[c] > redundant * matrix[j * (columns + 1)] ? rest[c] : 0.0;
    inverse[j] = pivot[j] > 0.0 ? 1.0 / pivot[j] : 0.0;
    for (Eigen::Index i = j + 1; i < end; ++i) {
      double* const other = factor + i * stride;
      other[j] = (matrix[i * columns + j] - dot(other, row, j)) * inverse[j];
    }
  }
  DotTile tile;
  for (Eigen::Index i = end; i < size; i += kRows) {
    const Eigen::Index top = std::min(i, size - kRows);  // the last tile may overlap
    double* const rows = factor + top * stride;
    dot_tile(rows, stride, scaled, stride, first, tile);
    for (Eigen::Index r = i - top; r < kRows; ++r) {
      finish_row(matrix + (top + r) * columns + first, inverse + first, follows, tile.even[r],
                 tile.odd[r], rows + r * stride + first);
    }
  }
}

void solve_by_rows(const Parts& parts, double* x) {
  const auto [factor, stride, size] = parts;
  Eigen::Index j = 0;
  for (; j + 4 <= size; j += 4) {
    const double* const rows = factor + j * stride;
    const std::array<double, 4> products = dot_rows(rows, stride, x, j);
    for (Eigen::Index r = 0; r < 4; ++r) {
      const double earlier = products[static_cast<std::size_t>(r)];
      x[j + r] -= earlier + dot(rows + r * stride + j, x + j, r);
    }
  }
  for (; j < size; ++j) {
    x[j] -= dot(factor + j * stride, x, j);
  }
  Eigen::Map<Array>(x, size) *= Eigen::Map<const Array>(factor + (stride + 1) * stride, size);
  for (j = size - 1; j > 0; --j) {
    subtract_row(x[j], factor + j * stride, j, x);
  }
}

}  // namespace kpm::cholesky
