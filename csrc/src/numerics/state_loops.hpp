// The passes of state_sums.hpp, for any type of four doubles.
#pragma once

#include <algorithm>
#include <cmath>

#include "numerics/divergence_root.hpp"
#include "numerics/log1p.hpp"
#include "numerics/state_sums.hpp"

namespace kpm {

/// StateSums::roots, for any type of kLanes doubles.
template <class Lanes, Eigen::Index kLanes>
void find_roots(double s, const RootStart& start, const double* q, const double* r,
                Eigen::Index count, double* d) {
  constexpr int kSteps = 12;  // one or two are usual
  for (Eigen::Index i = 0; i < count; i += kLanes) {
    DivergenceRoot<Lanes> root(s, start, Lanes::load(q + i), Lanes::load(r + i));
    root.stay_inside();
    Lanes found(std::nan(""));
    Lanes open(1.0);
    for (int step = 0; step < kSteps && open.sum() > 0.0; ++step) {
      const Lanes ends = open * root.step();  // each number takes the steps it takes by itself
      found = where_positive(ends, root.d(), found);
      open = where_positive(ends, Lanes(0.0), open);
    }
    found.store(d + i);
  }
}

/// `Four` has the operators of an array, and Four::load(), store() and sum(): (0 + 2) + (1 + 3).
template <class Four>
struct StateLoops {
  using Index = Eigen::Index;
  static constexpr Index kLanes = StateSums::kLanes;

  template <Exponents kSize>
  static void expm1_of(double scale, double shift, const double* x, Index count, double* out) {
    double rest[kLanes] = {};
    for (Index i = 0; i < count; i += kLanes) {
      const Index left = std::min(kLanes, count - i);
      const bool full = left == kLanes;
      const double* const from = full ? x + i : rest;
      double* const to = full ? out + i : rest;
      for (Index k = 0; !full && k < left; ++k) {
        rest[k] = x[i + k];
      }
      const Four exponent = scale * (Four::load(from) - shift);
      kpm::expm1_of<kSize, Four>(exponent).store(to);
      for (Index k = 0; !full && k < left; ++k) {
        out[i + k] = rest[k];
      }
    }
  }

  static void expm1(bool small, double scale, double shift, const double* x, Index count,
                    double* out) {
    small ? expm1_of<Exponents::kSmall>(scale, shift, x, count, out)
          : expm1_of<Exponents::kAny>(scale, shift, x, count, out);
  }

  static PsiSums psi(double inverse_a, const double* u, const double* growth, const double* p,
                     const double* phi, Index count, double* psi) {
    Four mean(0.0), covariance(0.0), square(0.0), phi_skew(0.0), psi_skew(0.0);
    for (Index i = 0; i < count; i += kLanes) {
      const Four x = Four::load(phi + i);
      const Four y = inverse_a * Four::load(u + i) * Four::load(growth + i);
      y.store(psi + i);
      const Four weight = Four::load(p + i) * y;
      const Four product = weight * x;
      mean += weight;
      covariance += product;
      square += weight * y;
      phi_skew += product * x;
      psi_skew += product * y;
    }
    return {mean.sum(), covariance.sum(), square.sum(), phi_skew.sum(), psi_skew.sum()};
  }

  template <Exponents kSize>
  static TiltSums tilt_of(double tau, double t, const double* p, const double* phi,
                          const double* psi, Index count, double* excess) {
    Four z(0.0), first_moment(0.0), moved_psi(0.0), squares(0.0), cubes(0.0);
    for (Index i = 0; i < count; i += kLanes) {
      const Four x = Four::load(phi + i);
      const Four y = Four::load(psi + i);
      const Four of = Four::load(p + i);
      const Four m = tau * x + t * y;
      const Four growth = kpm::expm1_of<kSize, Four>(m);
      growth.store(excess + i);
      const Four weight = of * growth;
      const Four mass = of + weight;
      const Four utility = x + y;
      const Four square = mass * utility * utility;
      z += weight;
      first_moment += weight * x;
      moved_psi += mass * y;
      squares += square;
      cubes += square * utility;
    }
    return {z.sum(), first_moment.sum(), moved_psi.sum(), squares.sum(), cubes.sum()};
  }

  static TiltSums tilt(bool small, double tau, double t, const double* p, const double* phi,
                       const double* psi, Index count, double* excess) {
    return small ? tilt_of<Exponents::kSmall>(tau, t, p, phi, psi, count, excess)
                 : tilt_of<Exponents::kAny>(tau, t, p, phi, psi, count, excess);
  }

  /// Sums of w x, w x^2 and so on.
  template <int kCount, class Dummy = void>
  struct Powers {
    Four sum = Four(0.0);
    Powers<kCount - 1> rest;

    EIGEN_ALWAYS_INLINE Four add(const Four& weight, const Four& x) {
      const Four product = weight * x;
      sum += product;
      return rest.add(product, x);
    }
    EIGEN_ALWAYS_INLINE void store(double* out) const {
      *out = sum.sum();
      rest.store(out + 1);
    }
  };
  template <class Dummy>
  struct Powers<0, Dummy> {
    EIGEN_ALWAYS_INLINE Four add(const Four& weight, const Four& /*x*/) { return weight; }
    EIGEN_ALWAYS_INLINE void store(double* /*out*/) const {}
  };

  static void powers(const double* w, const double* x, Index count, double* raised, double* sums) {
    Powers<StateSums::kPowers> all;
    for (Index i = 0; i < count; i += kLanes) {
      all.add(Four::load(w + i), Four::load(x + i)).store(raised + i);
    }
    all.store(sums);
  }

  static ExponentialMoments exponential(double t, const double* q, const double* b, Index count) {
    Four excess(0.0), first(0.0), second(0.0);
    for (Index i = 0; i < count; i += kLanes) {
      const Four x = Four::load(b + i);
      const Four of = Four::load(q + i);
      const Four m = t * x;
      const Four weight = of * kpm::expm1_of<Exponents::kAny, Four>(m);
      const Four product = weight * x;
      excess += weight;
      first += product;
      second += (product + of * x) * x;
    }
    return {excess.sum(), first.sum(), second.sum()};
  }

  static LogarithmSums logarithms(double t, double scale, const double* w, const double* r,
                                  const double* d, Index count) {
    Four value(0.0), first(0.0), second(0.0), third(0.0);
    for (Index i = 0; i < count; i += kLanes) {
      const Four left = Four::load(r + i);
      const Four of = Four::load(w + i);
      const Four x = t - scale * Four::load(d + i);
      const Four moved = left + x;
      const Four both = left + moved;
      const Four inverse = 1.0 / (moved * both);  // one division for two
      value += of * log1p_series<Four>(x * moved * inverse);
      const Four after = both * inverse;
      const Four once = of * after;
      const Four twice = once * after;
      first += once;
      second += twice;
      third += twice * after;
    }
    return {value.sum(), first.sum(), second.sum(), third.sum()};
  }

  static ThirdMoments moments(double mean, const double* w, const double* r, const double* d,
                              Index count) {
    Four first(0.0), second(0.0), third(0.0);
    for (Index i = 0; i < count; i += kLanes) {
      const Four c = Four::load(d + i) - mean;
      const Four once = Four::load(w + i) * c;
      const Four twice = once * c;
      first += once;
      second += twice;
      third += twice * c / Four::load(r + i);
    }
    return {first.sum(), second.sum(), third.sum()};
  }

  static WaterSums water(double level, double scale, const double* floor, const double* x,
                         Index count) {
    const Four none(0.0);
    Four above(0.0), number(0.0), floors(0.0);
    Index i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      const Four of = Four::load(x + i);
      const Four bottom = Four::load(floor + i);
      const Four over = scale * (of - level) - bottom;
      above += where_positive(over, of, none);
      number += where_positive(over, Four(1.0), none);
      floors += where_positive(over, none, bottom);
    }
    WaterSums sums{above.sum(), number.sum(), floors.sum()};
    for (; i < count; ++i) {
      const bool over = scale * (x[i] - level) - floor[i] > 0.0;
      sums.above += over ? x[i] : 0.0;
      sums.count += over ? 1.0 : 0.0;
      sums.floors += over ? 0.0 : floor[i];
    }
    return sums;
  }

  static BitMasses bits(const double* values, const double* prior, Index count) {
    // Two sums: the processor need not wait for one to finish.
    Four one(0.0), one2(0.0), other(0.0), other2(0.0);
    Index i = 0;
    for (; i + 2 * kLanes <= count; i += 2 * kLanes) {
      const Four v = Four::load(values + i);
      const Four v2 = Four::load(values + i + kLanes);
      one += v * Four::load(prior + i);
      one2 += v2 * Four::load(prior + i + kLanes);
      other = either(other, unequal(v, v * v));
      other2 = either(other2, unequal(v2, v2 * v2));
    }
    if (i + kLanes <= count) {
      const Four v = Four::load(values + i);
      one += v * Four::load(prior + i);
      other = either(other, unequal(v, v * v));
      i += kLanes;
    }
    double last = 0.0;
    bool only = nowhere(either(other, other2));
    for (; i < count; ++i) {
      last += values[i] * prior[i];
      only &= values[i] == values[i] * values[i];
    }
    const Four sum = one + one2;
    return {only, sum.sum() + last};
  }

  static constexpr StateSums table(decltype(StateSums::roots) roots) noexcept {
    return {expm1, psi, tilt, powers, exponential, logarithms, moments, water, roots, bits};
  }
};

}  // namespace kpm
