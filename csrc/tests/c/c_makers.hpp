// Makers of every kind, as kpm.h and as the core have them.
#pragma once

#include <utility>
#include <vector>

#include "kpm/kpm.h"
#include "kpm/makers.hpp"

namespace kpm::test {

/// The numbers of a maker of each kind for the same states. Its polytope has two priors.
class CMakers {
 public:
  CMakers(std::vector<double> prior, std::vector<double> delta, std::vector<double> priors)
      : prior_(std::move(prior)), delta_(std::move(delta)), priors_(std::move(priors)) {}

  std::int32_t states() const { return static_cast<std::int32_t>(prior_.size()); }

  kpm_maker maker(std::int32_t kind) const {
    kpm_maker made{};
    made.struct_size = sizeof made;
    made.kind = kind;
    made.states = states();
    made.prior = prior_.data();
    made.delta = delta_.data();
    made.priors = priors_.data();
    made.prior_count = kPriors;
    made.risk_aversion = kRiskAversion;
    made.ambiguity = kAmbiguity;
    made.wealth = kWealth;
    made.curvature = kCurvature;
    return made;
  }

  MakerModel model(std::int32_t kind) const {
    MakerModel same;
    same.kind = static_cast<MakerKind>(kind);
    same.states = states();
    same.prior = prior_.data();
    same.delta = delta_.data();
    same.vertices = priors_.data();
    same.priors = static_cast<int>(kPriors);
    same.risk_aversion = kRiskAversion;
    same.ambiguity = kAmbiguity;
    same.wealth = kWealth;
    same.curvature = kCurvature;
    return same;
  }

  /// What the functions without structs are given.
  const double* weights(std::int32_t kind) const {
    return kind == KPM_STARTING_ORDERS ? delta_.data()
           : kind == KPM_POLYTOPE      ? priors_.data()
                                       : prior_.data();
  }
  static double parameter(std::int32_t kind) {
    return kind == KPM_QUADRATIC ? kCurvature : kWealth;
  }

  static constexpr std::int64_t kPriors = 2;
  static constexpr double kRiskAversion = 0.1;
  static constexpr double kAmbiguity = 0.05;

 private:
  static constexpr double kWealth = 30.0;
  static constexpr double kCurvature = 12.0;

  std::vector<double> prior_, delta_, priors_;
};

}  // namespace kpm::test
