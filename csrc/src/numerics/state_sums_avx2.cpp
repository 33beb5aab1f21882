// The passes of state_sums.hpp for processors with AVX2, without fused operations. All that this
// file defines has internal linkage, but for the table: nothing of it may reach other processors.
// (Without optimisation the compiler emits inline functions of the library here, too, which the
// linker may choose for all: such a build is for processors with AVX2.)
#include "numerics/state_sums.hpp"

#if defined(KPM_HAS_AVX2_FILES)

#if !defined(__AVX2__)
#error "to be compiled with -mavx2"
#endif

#include <immintrin.h>

#include "numerics/state_loops.hpp"

namespace kpm::avx2 {

namespace {

struct Four {
  __m256d v;

  Four(__m256d four) : v(four) {}  // NOLINT(google-explicit-constructor): what it is
  explicit Four(double value) : v(_mm256_set1_pd(value)) {}
  static Four load(const double* from) { return _mm256_loadu_pd(from); }
  void store(double* to) const { _mm256_storeu_pd(to, v); }
  double sum() const {
    const __m128d halves = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
    return _mm_cvtsd_f64(halves) + _mm_cvtsd_f64(_mm_unpackhi_pd(halves, halves));
  }
  Four abs() const { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), v); }
  // Of a value that is not a number and one that is, the first: as Eigen.
  Four max(const Four& b) const { return _mm256_max_pd(b.v, v); }
  Four max(double b) const { return max(Four(b)); }
  Four min(const Four& b) const { return _mm256_min_pd(b.v, v); }
  Four min(double b) const { return min(Four(b)); }
  Four sqrt() const { return _mm256_sqrt_pd(v); }
  Four& operator+=(const Four& b) {
    v = _mm256_add_pd(v, b.v);
    return *this;
  }
};

inline Four operator+(const Four& a, const Four& b) { return _mm256_add_pd(a.v, b.v); }
inline Four operator-(const Four& a, const Four& b) { return _mm256_sub_pd(a.v, b.v); }
inline Four operator*(const Four& a, const Four& b) { return _mm256_mul_pd(a.v, b.v); }
inline Four operator+(double a, const Four& b) { return Four(a) + b; }
inline Four operator*(double a, const Four& b) { return Four(a) * b; }
inline Four operator+(const Four& a, double b) { return a + Four(b); }
inline Four operator-(const Four& a, double b) { return a - Four(b); }
inline Four operator*(const Four& a, double b) { return a * Four(b); }

inline Four operator/(const Four& a, const Four& b) { return _mm256_div_pd(a.v, b.v); }
inline Four operator/(double a, const Four& b) { return Four(a) / b; }
inline Four operator/(const Four& a, double b) { return a / Four(b); }
inline Four operator-(double a, const Four& b) { return Four(a) - b; }

inline Four where_positive(const Four& sign, const Four& one, const Four& other) {
  return _mm256_blendv_pd(other.v, one.v, _mm256_cmp_pd(sign.v, _mm256_setzero_pd(), _CMP_GT_OQ));
}

/// Bits of the numbers that differ, of those that do in one or the other, and whether none do.
inline Four unequal(const Four& a, const Four& b) { return _mm256_cmp_pd(a.v, b.v, _CMP_NEQ_UQ); }
inline Four either(const Four& a, const Four& b) { return _mm256_or_pd(a.v, b.v); }
inline bool nowhere(const Four& a) { return _mm256_movemask_pd(a.v) == 0; }

inline Four powers_of_last_bits(const Four& number) {
  constexpr int kFraction = 52;
  return _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(number.v), kFraction));
}

inline Four exponent_taken_out(const Four& x, Four& k) {
  // Bits of 2^52: an integer below it in the fraction is added.
  const __m256d shift = _mm256_set1_pd(0x1p52);
  const __m256i root_half = _mm256_set1_epi64x(kBitsOfRootHalf);
  const __m256i bits = _mm256_add_epi64(_mm256_castpd_si256((1.0 + x).v),
                                        _mm256_set1_epi64x(kBitsOfOne - kBitsOfRootHalf));
  const __m256i exponent = _mm256_srli_epi64(bits, kFractionWidth);
  k = _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(exponent, _mm256_castpd_si256(shift))),
                    _mm256_set1_pd(0x1p52 + kBiasOfExponent));
  const __m256i fraction = _mm256_and_si256(bits, _mm256_set1_epi64x(kFractionBits));
  const Four m = _mm256_castsi256_pd(_mm256_add_epi64(fraction, root_half));
  return _mm256_blendv_pd((m - 1.0).v, x.v, _mm256_cmp_pd(k.v, _mm256_setzero_pd(), _CMP_EQ_OQ));
}

}  // namespace

const StateSums kStateSums = StateLoops<Four>::table(find_roots<Four, 4>);

}  // namespace kpm::avx2

#endif
