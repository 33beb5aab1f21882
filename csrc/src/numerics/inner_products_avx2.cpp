// Kernels for processors with AVX2, without fused operations: the bits of the portable ones.
#include "numerics/inner_products.hpp"

#if defined(KPM_HAS_AVX2)

#include <immintrin.h>

#define KPM_WITH_AVX2 [[gnu::target("avx2")]]

namespace kpm::avx2 {

bool supported() {
  static const bool known = __builtin_cpu_supports("avx2") != 0;
  return known;
}

namespace {

/// The next two entries of two rows.
KPM_WITH_AVX2 inline __m256d two_rows(const double* rows, Eigen::Index stride) {
  return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(rows)),
                              _mm_loadu_pd(rows + stride), 1);
}

/// Add the products of four rows, two in a register, with the next two entries of a column.
KPM_WITH_AVX2 inline void add_products(__m256d a01, __m256d a23, const double* b, __m256d& s01,
                                       __m256d& s23) {
  const __m256d both = _mm256_broadcast_pd(reinterpret_cast<const __m128d*>(b));
  s01 = _mm256_add_pd(s01, _mm256_mul_pd(a01, both));
  s23 = _mm256_add_pd(s23, _mm256_mul_pd(a23, both));
}

/// out += times entries.
KPM_WITH_AVX2 inline void add_multiple(__m256d times, __m256d entries, double* out) {
  _mm256_storeu_pd(out, _mm256_add_pd(_mm256_loadu_pd(out), _mm256_mul_pd(times, entries)));
}

/// The sums of two rows with four columns. A register holds the even and odd ones of both rows.
KPM_WITH_AVX2 void store_rows(__m256d c0, __m256d c1, __m256d c2, __m256d c3, double (*even)[4],
                              double (*odd)[4]) {
  const __m256d even01 = _mm256_unpacklo_pd(c0, c1);
  const __m256d even23 = _mm256_unpacklo_pd(c2, c3);
  const __m256d odd01 = _mm256_unpackhi_pd(c0, c1);
  const __m256d odd23 = _mm256_unpackhi_pd(c2, c3);
  _mm256_storeu_pd(even[0], _mm256_permute2f128_pd(even01, even23, 0x20));
  _mm256_storeu_pd(even[1], _mm256_permute2f128_pd(even01, even23, 0x31));
  _mm256_storeu_pd(odd[0], _mm256_permute2f128_pd(odd01, odd23, 0x20));
  _mm256_storeu_pd(odd[1], _mm256_permute2f128_pd(odd01, odd23, 0x31));
}

}  // namespace

KPM_WITH_AVX2 void dot_tile(const double* a, Eigen::Index a_stride, const double* b,
                            Eigen::Index b_stride, Eigen::Index count, DotTile& tile) {
  __m256d s00 = _mm256_setzero_pd(), s01 = s00, s02 = s00, s03 = s00;
  __m256d s20 = s00, s21 = s00, s22 = s00, s23 = s00;
  const double* const b1 = b + b_stride;
  const double* const b2 = b1 + b_stride;
  const double* const b3 = b2 + b_stride;
  for (Eigen::Index i = 0; i < count; i += 2) {
    const __m256d a01 = two_rows(a + i, a_stride);
    const __m256d a23 = two_rows(a + 2 * a_stride + i, a_stride);
    add_products(a01, a23, b + i, s00, s20);
    add_products(a01, a23, b1 + i, s01, s21);
    add_products(a01, a23, b2 + i, s02, s22);
    add_products(a01, a23, b3 + i, s03, s23);
  }
  store_rows(s00, s01, s02, s03, tile.even, tile.odd);
  store_rows(s20, s21, s22, s23, tile.even + 2, tile.odd + 2);
}

KPM_WITH_AVX2 void add_four_rows(const double* times, const double* rows, Eigen::Index stride,
                                 Eigen::Index count, double* out) {
  const double* const second = rows + stride;
  const double* const third = second + stride;
  const double* const fourth = third + stride;
  const __m256d t0 = _mm256_set1_pd(times[0]);
  const __m256d t1 = _mm256_set1_pd(times[1]);
  const __m256d t2 = _mm256_set1_pd(times[2]);
  const __m256d t3 = _mm256_set1_pd(times[3]);
  Eigen::Index i = 0;
  for (; i + 4 <= count; i += 4) {
    __m256d sum = _mm256_mul_pd(t0, _mm256_loadu_pd(rows + i));
    sum = _mm256_add_pd(sum, _mm256_mul_pd(t1, _mm256_loadu_pd(second + i)));
    sum = _mm256_add_pd(sum, _mm256_mul_pd(t2, _mm256_loadu_pd(third + i)));
    sum = _mm256_add_pd(sum, _mm256_mul_pd(t3, _mm256_loadu_pd(fourth + i)));
    _mm256_storeu_pd(out + i, _mm256_add_pd(_mm256_loadu_pd(out + i), sum));
  }
  for (; i < count; ++i) {
    out[i] +=
        times[0] * rows[i] + times[1] * second[i] + times[2] * third[i] + times[3] * fourth[i];
  }
}

KPM_WITH_AVX2 void subtract_row(double times, const double* row, Eigen::Index count, double* out) {
  const __m256d factor = _mm256_set1_pd(times);
  Eigen::Index i = 0;
  for (; i + 4 <= count; i += 4) {
    const __m256d product = _mm256_mul_pd(factor, _mm256_loadu_pd(row + i));
    _mm256_storeu_pd(out + i, _mm256_sub_pd(_mm256_loadu_pd(out + i), product));
  }
  for (; i < count; ++i) {
    out[i] -= times * row[i];
  }
}

KPM_WITH_AVX2 void subtract_row(const double* times, const double* row, Eigen::Index count,
                                double* const* rows, Eigen::Index many) {
  Eigen::Index r = 0;
  for (; r + 4 <= many; r += 4) {
    double* const out0 = rows[r];
    double* const out1 = rows[r + 1];
    double* const out2 = rows[r + 2];
    double* const out3 = rows[r + 3];
    // To add what is negative takes an instruction less.
    const __m256d t0 = _mm256_set1_pd(-times[r]);
    const __m256d t1 = _mm256_set1_pd(-times[r + 1]);
    const __m256d t2 = _mm256_set1_pd(-times[r + 2]);
    const __m256d t3 = _mm256_set1_pd(-times[r + 3]);
    Eigen::Index i = 0;
    for (; i + 4 <= count; i += 4) {
      const __m256d entries = _mm256_loadu_pd(row + i);
      add_multiple(t0, entries, out0 + i);
      add_multiple(t1, entries, out1 + i);
      add_multiple(t2, entries, out2 + i);
      add_multiple(t3, entries, out3 + i);
    }
    for (; i < count; ++i) {
      out0[i] -= times[r] * row[i];
      out1[i] -= times[r + 1] * row[i];
      out2[i] -= times[r + 2] * row[i];
      out3[i] -= times[r + 3] * row[i];
    }
  }
  for (; r < many; ++r) {
    subtract_row(times[r], row, count, rows[r]);
  }
}

KPM_WITH_AVX2 void subtract_rows(const double* times, const double* const* rows, Eigen::Index many,
                                 Eigen::Index count, double* out) {
  Eigen::Index r = 0;
  for (; r + 4 <= many; r += 4) {
    const double* const first = rows[r];
    const double* const second = rows[r + 1];
    const double* const third = rows[r + 2];
    const double* const fourth = rows[r + 3];
    const __m256d t0 = _mm256_set1_pd(times[r]);
    const __m256d t1 = _mm256_set1_pd(times[r + 1]);
    const __m256d t2 = _mm256_set1_pd(times[r + 2]);
    const __m256d t3 = _mm256_set1_pd(times[r + 3]);
    Eigen::Index i = 0;
    for (; i + 4 <= count; i += 4) {
      __m256d left = _mm256_loadu_pd(out + i);
      left = _mm256_sub_pd(left, _mm256_mul_pd(t0, _mm256_loadu_pd(first + i)));
      left = _mm256_sub_pd(left, _mm256_mul_pd(t1, _mm256_loadu_pd(second + i)));
      left = _mm256_sub_pd(left, _mm256_mul_pd(t2, _mm256_loadu_pd(third + i)));
      left = _mm256_sub_pd(left, _mm256_mul_pd(t3, _mm256_loadu_pd(fourth + i)));
      _mm256_storeu_pd(out + i, left);
    }
    for (; i < count; ++i) {
      out[i] = out[i] - times[r] * first[i] - times[r + 1] * second[i] - times[r + 2] * third[i] -
               times[r + 3] * fourth[i];
    }
  }
  for (; r < many; ++r) {
    subtract_row(times[r], rows[r], count, out);
  }
}

}  // namespace kpm::avx2

#endif
