// Passes over all states, four at a time: exponentials of them and weighted sums. Every version has
// the same bits, on every processor.
#pragma once

#include "numerics/dense.hpp"
#include "numerics/divergence_root.hpp"
#include "numerics/expm1.hpp"

namespace kpm {

/// Sums over states of a distribution p tilted by e^m, m = tau phi + t psi.
struct TiltSums {
  double excess;        ///< E e^m - 1
  double first_moment;  ///< E phi (e^m - 1)
  double psi;           ///< E psi e^m
  double squares;       ///< E (phi + psi)^2 e^m
  double cubes;         ///< E (phi + psi)^3 e^m
};

/// E_p of psi, psi phi, psi^2, psi phi^2 and psi^2 phi.
struct PsiSums {
  double mean, covariance, square, phi_skew, psi_skew;
};

/// The prior probabilities of zeros and of ones.
struct BitMasses {
  bool only;  ///< whether there are no other values
  double of_one;
};

/// Of states whose scale (x - level) is above their floor the sum of x and the number, and the sum
/// of the others' floors.
struct WaterSums {
  double above, count, floors;
};

/// E_q of e^{t b} - 1, b e^{t b} and b^2 e^{t b}.
struct ExponentialMoments {
  double excess, first, second;
};

/// Sums over states of w ln(1 + x / r) and w / (r + x), its square and its cube, x = t - scale d.
struct LogarithmSums {
  double value, first, second, third;
};

/// Sums of w c, w c^2 and w c^3 / r, c = d - mean.
struct ThirdMoments {
  double first, second, third;
};

/// The passes. Arrays have a multiple of kLanes entries, those past the states with zero weight,
/// unless it says otherwise.
struct StateSums {
  static constexpr Eigen::Index kLanes = 4;
  static constexpr Eigen::Index padded(Eigen::Index states) {
    return (states + kLanes - 1) / kLanes * kLanes;
  }
  static constexpr int kPowers = 10;

  /// out = e^{scale (x - shift)} - 1, for any `count`. Exponents are `small` up to kExpm1Series.
  void (*expm1)(bool small, double scale, double shift, const double* x, Eigen::Index count,
                double* out);
  /// psi = inverse_a u growth and its moments.
  PsiSums (*psi)(double inverse_a, const double* u, const double* growth, const double* p,
                 const double* phi, Eigen::Index count, double* psi);
  /// The sums under a tilt, and e^m - 1.
  TiltSums (*tilt)(bool small, double tau, double t, const double* p, const double* phi,
                   const double* psi, Eigen::Index count, double* excess);
  /// sums[k] = sum of w x^{k+1} for k < kPowers; `raised` becomes w x^kPowers.
  void (*powers)(const double* w, const double* x, Eigen::Index count, double* raised,
                 double* sums);
  ExponentialMoments (*exponential)(double t, const double* q, const double* b, Eigen::Index count);
  /// For x between -.4 and .6 of r.
  LogarithmSums (*logarithms)(double t, double scale, const double* w, const double* r,
                              const double* d, Eigen::Index count);
  ThirdMoments (*moments)(double mean, const double* w, const double* r, const double* d,
                          Eigen::Index count);
  /// For any `count`.
  WaterSums (*water)(double level, double scale, const double* floor, const double* x,
                     Eigen::Index count);
  /// DivergenceRoot of each of a multiple of four numbers; not a number where there is none.
  void (*roots)(double s, const RootStart& start, const double* q, const double* r,
                Eigen::Index count, double* d);
  /// For any `count` of values, with a padded prior.
  BitMasses (*bits)(const double* values, const double* prior, Eigen::Index count);
};

/// The fastest for this processor.
const StateSums& state_sums();

namespace portable {
extern const StateSums kStateSums;
}

// Where csrc/CMakeLists.txt compiles a file for AVX2, and says so by KPM_HAS_AVX2_FILES.
namespace avx2 {
extern const StateSums kStateSums;
}

}  // namespace kpm
