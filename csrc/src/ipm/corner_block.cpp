#include "ipm/corner_block.hpp"

#include <algorithm>
#include <cmath>

#include "ipm/central_level.hpp"

namespace kpm {

namespace {

constexpr double kFirstWeight = 0.02;  // the largest weight of a corner that joins midway

/// The most columns of a claim, and one: where all places are taken a corner that is there already
/// would drive another out.
int most_columns(const std::vector<Corners>& corners) {
  std::size_t most = 0;
  for (const Corners& claim : corners) {
    most = std::max(most, claim.price.size());
  }
  return static_cast<int>(most) + 1;
}

}  // namespace

CornerBlock::CornerBlock(const std::vector<Corners>& corners, Arena& arena)
    : CornerBlock(static_cast<int>(corners.size()), most_columns(corners), arena) {}

CornerBlock::CornerBlock(int claims, int most, Arena& arena)
    : price(arena.array(claims)),
      demand(arena.array(claims)),
      revenue(arena.array(claims)),
      step_price(arena.array(claims)),
      step_demand(arena.array(claims)),
      price_demand(arena.array(claims)),
      demand_demand(arena.array(claims)),
      price_alone(arena.array(claims)),
      claims_(claims),
      most_(std::min(kColumns, most)),
      columns_(arena.span<Column>(Eigen::Index{claims} * most_)),
      count_(arena.span<int>(claims)),
      theta_(arena.array(claims)),
      dtheta_(arena.array(claims)),
      share_(arena.array(claims)),
      total_(arena.array(claims)),
      mean_price_(arena.array(claims)),
      mean_demand_(arena.array(claims)),
      surplus_(arena.array(claims)),
      mass_residual_(arena.array(claims)) {}

void CornerBlock::clear() { std::fill(count_.begin(), count_.end(), 0); }

void CornerBlock::add(int claim, int corner, const Corners& corners) {
  int& count = count_[claim];
  const auto at = static_cast<std::size_t>(corner);
  for (const Column* c = begin(claim); c != end(claim); ++c) {
    // Corners at one place, ends of an empty flat, are one column.
    if (c->price == corners.price[at] && c->demand == corners.demand[at]) {
      return;
    }
  }
  if (count == most_) {
    return;
  }
  Column& column = begin(claim)[count++];
  column = Column{};
  column.corner = corner;
  column.price = corners.price[at];
  column.demand = corners.demand[at];
}

void CornerBlock::weigh(double least_share) {
  total_stake_ = 0.0;
  for (int k = 0; k < claims_; ++k) {
    double low = kInfinity;
    double high = -kInfinity;
    double most = 0.0;
    double lowest = kInfinity;
    double highest = -kInfinity;
    for (const Column* c = begin(k); c != end(k); ++c) {
      low = std::min(low, c->demand);
      high = std::max(high, c->demand);
      lowest = std::min(lowest, c->price);
      highest = std::max(highest, c->price);
      most = std::max(most, std::abs(c->demand));
    }
    share_[k] = (high - low) + most * (highest - lowest);
    total_stake_ += share_[k];
  }
  if (total_stake_ > 0.0) {
    share_ = (share_ / total_stake_).max(least_share / claims_);
    share_ /= share_.sum();
  } else if (claims_ > 0) {
    share_ = 1.0 / claims_;
  }
}

void CornerBlock::start(double tau) {
  for (int k = 0; k < claims_; ++k) {
    const double weight = 1.0 / count_[k];
    for (Column* c = begin(k); c != end(k); ++c) {
      c->v = weight;
      c->z = tau * share_[k];
      c->dv = c->dz = 0.0;
    }
    theta_[k] = tau * share_[k];
  }
  dtheta_.setZero();
  refresh();
}

void CornerBlock::move_to(const ArrayView& lambda, const ArrayView& value, double tau) {
  for (int k = 0; k < claims_; ++k) {
    const double product = tau * share_[k] / count_[k];
    double most = -kInfinity;
    for (Column* c = begin(k); c != end(k); ++c) {
      c->z = (c->price - value[k]) * c->demand + lambda[k] * c->price;  // what the corner is worth
      most = std::max(most, c->z);
    }
    theta_[k] = central_level(most + product, [&](double level, double& sum, double& slope) {
      for (const Column* c = begin(k); c != end(k); ++c) {
        const double part = product / (level - c->z);
        sum += part;
        slope += part / (level - c->z);
      }
    });
    for (Column* c = begin(k); c != end(k); ++c) {
      c->z = theta_[k] - c->z;
      c->v = product / c->z;
    }
  }
  refresh();
}

bool CornerBlock::insert(int claim, int corner, const Corners& corners, double lambda, double value,
                         double tau) {
  const int before = count_[claim];
  if (before == most_) {
    Column* lightest = begin(claim);
    for (Column* c = begin(claim); c != end(claim); ++c) {
      if (c->v < lightest->v) {
        lightest = c;
      }
    }
    *lightest = *(end(claim) - 1);
    --count_[claim];
  }
  const int count = count_[claim];
  add(claim, corner, corners);
  if (count_[claim] == count) {
    return false;
  }
  Column& column = begin(claim)[count];
  const double worth = (column.price - value) * column.demand + lambda * column.price;
  const double product = tau * share_[claim] / (count + 1);
  column.z = std::max(std::abs(theta_[claim] - worth), product / kFirstWeight);
  column.v = product / column.z;
  for (Column* c = begin(claim); c != begin(claim) + count; ++c) {
    c->v *= 1.0 - column.v;
  }
  return true;
}

void CornerBlock::update_residuals(const ArrayView& lambda, const ArrayView& value) {
  for (int k = 0; k < claims_; ++k) {
    double total = 0.0;
    double mean_price = 0.0;
    double mean_demand = 0.0;
    double mass = 1.0;
    for (Column* c = begin(k); c != end(k); ++c) {
      c->rz = c->z - theta_[k] + (c->price - value[k]) * c->demand + lambda[k] * c->price;
      c->d = c->v / c->z;
      total += c->d;
      mean_price += c->d * c->price;
      mean_demand += c->d * c->demand;
      mass -= c->v;
    }
    mean_price /= total;
    mean_demand /= total;
    double pd = 0.0;
    double dd = 0.0;
    for (const Column* c = begin(k); c != end(k); ++c) {
      const double p = c->price - mean_price;
      const double y = c->demand - mean_demand;
      pd += c->d * p * y;
      dd += c->d * y * y;
    }
    const double slope = dd > 0.0 ? pd / dd : 0.0;
    double alone = 0.0;
    for (const Column* c = begin(k); c != end(k); ++c) {
      const double p = (c->price - mean_price) - slope * (c->demand - mean_demand);
      alone += c->d * p * p;
    }
    total_[k] = total;
    mean_price_[k] = mean_price;
    mean_demand_[k] = mean_demand;
    mass_residual_[k] = mass;
    price_demand[k] = pd;
    demand_demand[k] = dd;
    price_alone[k] = alone;
  }
}

void CornerBlock::set_affine_rhs() {
  for (int k = 0; k < claims_; ++k) {
    for (Column* c = begin(k); c != end(k); ++c) {
      c->target = -c->v * c->z;
    }
  }
}

void CornerBlock::set_combined_rhs(double tau) {
  for (int k = 0; k < claims_; ++k) {
    const double product = tau * share_[k] / count_[k];
    for (Column* c = begin(k); c != end(k); ++c) {
      c->target = product - c->v * c->z - c->dv * c->dz;
    }
  }
}

void CornerBlock::set_centering_rhs(double tau) {
  for (int k = 0; k < claims_; ++k) {
    const double product = tau * share_[k] / count_[k];
    for (Column* c = begin(k); c != end(k); ++c) {
      c->target = product - c->v * c->z;
    }
  }
}

void CornerBlock::reduce() {
  for (int k = 0; k < claims_; ++k) {
    double surplus = -mass_residual_[k];
    double dprice = mean_price_[k] * mass_residual_[k];
    double ddemand = mean_demand_[k] * mass_residual_[k];
    for (Column* c = begin(k); c != end(k); ++c) {
      c->u = c->target / c->z + c->d * c->rz;
      surplus += c->u;
      dprice += (c->price - mean_price_[k]) * c->u;
      ddemand += (c->demand - mean_demand_[k]) * c->u;
    }
    surplus_[k] = surplus;
    step_price[k] = dprice;
    step_demand[k] = ddemand;
  }
}

void CornerBlock::recover_step(const ArrayView& dlambda, const ArrayView& dvalue) {
  for (int k = 0; k < claims_; ++k) {
    dtheta_[k] =
        surplus_[k] / total_[k] - mean_demand_[k] * dvalue[k] + mean_price_[k] * dlambda[k];
    for (Column* c = begin(k); c != end(k); ++c) {
      // dtheta + y dG - pi dlambda, from the mean.
      const double slope = surplus_[k] / total_[k] + (c->demand - mean_demand_[k]) * dvalue[k] -
                           (c->price - mean_price_[k]) * dlambda[k];
      c->dz = slope - c->rz;
      c->dv = c->target / c->z - c->d * c->dz;
    }
  }
}

double CornerBlock::complementarity(double along) const {
  double sum = 0.0;
  for (int k = 0; k < claims_; ++k) {
    for (const Column* c = begin(k); c != end(k); ++c) {
      sum += (c->v + along * c->dv) * (c->z + along * c->dz);
    }
  }
  return sum;
}

void CornerBlock::ratio_test(double& inverse_step) const {
  for (int k = 0; k < claims_; ++k) {
    for (const Column* c = begin(k); c != end(k); ++c) {
      inverse_step = std::max({inverse_step, -c->dv / c->v, -c->dz / c->z});
    }
  }
}

void CornerBlock::advance(double along) {
  for (int k = 0; k < claims_; ++k) {
    theta_[k] += along * dtheta_[k];
    for (Column* c = begin(k); c != end(k); ++c) {
      c->v += along * c->dv;
      c->z += along * c->dz;
    }
  }
  refresh();
}

void CornerBlock::refresh() {
  for (int k = 0; k < claims_; ++k) {
    double pi = 0.0;
    double y = 0.0;
    double r = 0.0;
    for (const Column* c = begin(k); c != end(k); ++c) {
      pi += c->v * c->price;
      y += c->v * c->demand;
      r += c->v * (c->price * c->demand);
    }
    price[k] = pi;
    demand[k] = y;
    revenue[k] = r;
  }
}

}  // namespace kpm
