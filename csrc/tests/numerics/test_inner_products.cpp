#include <vector>

#include "check.hpp"
#include "numerics/inner_products.hpp"

namespace kpm {
namespace {

std::vector<double> random_entries(test::Random& random, Eigen::Index count) {
  std::vector<double> entries(static_cast<std::size_t>(count));
  for (double& entry : entries) {
    entry = random.uniform(-1.0, 1.0);
  }
  return entries;
}

}  // namespace

TEST(every_entry_of_a_gram_matrix_is_a_dot_product_to_the_last_bit) {
  test::Random random(12);
  for (const Eigen::Index size : {1, 3, 4, 5, 7, 8, 30, 50}) {
    for (const Eigen::Index count : {1, 2, 7, 40, 101, 700}) {
      const std::vector<double> rows = random_entries(random, size * count);
      Matrix sum = Matrix::Constant(size, size, 2.0);
      add_gram(rows.data(), size, count, sum.data(), size);
      for (Eigen::Index k = 0; k < size; ++k) {
        for (Eigen::Index l = 0; l < size; ++l) {
          const double* const row = rows.data();
          const double product = l <= k ? dot(row + k * count, row + l * count, count) : 0.0;
          CHECK(sum(k, l) == 2.0 + product);
        }
      }
    }
  }
}

TEST(kernels_for_one_processor_have_the_bits_of_the_portable_ones) {
#if defined(KPM_HAS_AVX2)
  if (!avx2::supported()) {
    SKIP("this processor has no AVX2");
  }
  test::Random random(13);
  constexpr Eigen::Index kStride = 67;
  for (Eigen::Index count = 0; count <= 66; ++count) {
    const std::vector<double> a = random_entries(random, 4 * kStride);
    const std::vector<double> b = random_entries(random, 4 * kStride);
    DotTile portable_tile;
    DotTile avx2_tile;
    portable::dot_tile(a.data(), kStride, b.data(), kStride, count & ~Eigen::Index{1},
                       portable_tile);
    avx2::dot_tile(a.data(), kStride, b.data(), kStride, count & ~Eigen::Index{1}, avx2_tile);
    for (int r = 0; r < 4; ++r) {
      for (int c = 0; c < 4; ++c) {
        CHECK(portable_tile.even[r][c] == avx2_tile.even[r][c]);
        CHECK(portable_tile.odd[r][c] == avx2_tile.odd[r][c]);
      }
    }
    std::vector<double> portable_row = b;
    std::vector<double> avx2_row = b;
    portable::add_four_rows(&b[5], a.data(), kStride, count, portable_row.data());
    avx2::add_four_rows(&b[5], a.data(), kStride, count, avx2_row.data());
    CHECK(portable_row == avx2_row);
    portable::subtract_row(b[1], a.data(), count, portable_row.data());
    avx2::subtract_row(b[1], a.data(), count, avx2_row.data());
    CHECK(portable_row == avx2_row);
    constexpr Eigen::Index kMany = 7;  // four at a time, and others
    std::vector<double> portable_rows = random_entries(random, kMany * kStride);
    std::vector<double> avx2_rows = portable_rows;
    std::vector<double*> to_portable;
    std::vector<double*> to_avx2;
    for (Eigen::Index r = 0; r < kMany; ++r) {
      to_portable.push_back(&portable_rows[static_cast<std::size_t>(r * kStride)]);
      to_avx2.push_back(&avx2_rows[static_cast<std::size_t>(r * kStride)]);
    }
    portable::subtract_row(b.data(), a.data(), count, to_portable.data(), kMany);
    avx2::subtract_row(b.data(), a.data(), count, to_avx2.data(), kMany);
    CHECK(portable_rows == avx2_rows);
    portable::subtract_rows(b.data(), to_portable.data(), kMany, count, portable_row.data());
    avx2::subtract_rows(b.data(), to_portable.data(), kMany, count, avx2_row.data());
    CHECK(portable_row == avx2_row);
  }
#else
  SKIP("this compiler or processor has one version of the kernels");
#endif
}

}  // namespace kpm
