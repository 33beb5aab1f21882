#include "mechanisms/competitive/rung_block.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace kpm {

namespace {

constexpr double kLeastShare = 1e-3;   // of the products, so that no claim is resolved too finely
constexpr double kFirstWeight = 0.02;  // the largest weight of a rung that joins midway
constexpr double kIdle = 1e3;          // products: a slack that keeps a weight below 1 / this
constexpr int kFewest = 3;             // columns of a claim
constexpr int kAround = 4;             // rungs on either side of the first price

}  // namespace

RungBlock::RungBlock(int claims, Arena& arena)
    : demand(arena.array(claims)),
      value(arena.array(claims)),
      step(arena.array(claims)),
      spread(arena.array(claims)),
      claims_(claims),
      columns_(arena.span<Column>(Eigen::Index{claims} * kColumns)),
      count_(arena.span<int>(claims)),
      theta_(arena.array(claims)),
      dtheta_(arena.array(claims)),
      share_(arena.array(claims)),
      total_(arena.array(claims)),
      mean_(arena.array(claims)),
      surplus_(arena.array(claims)),
      mass_(arena.array(claims)) {}

void RungBlock::clear() { std::fill(count_.begin(), count_.end(), 0); }

void RungBlock::add(int claim, int rung, const Ladder& ladder) {
  int& count = count_[claim];
  for (const Column* c = begin(claim); c != end(claim); ++c) {
    if (c->rung == rung) {
      return;
    }
  }
  if (count == kColumns) {
    return;
  }
  Column& column = begin(claim)[count++];
  column = Column{};
  column.rung = rung;
  column.demand = ladder.demand[static_cast<std::size_t>(rung)];
  column.value = ladder.value[static_cast<std::size_t>(rung)];
}

void RungBlock::sample(int claim, int rung, const Ladder& ladder) {
  const int last = ladder.rungs() - 1;
  add(claim, 0, ladder);
  add(claim, last, ladder);
  for (int off = 0; off <= kAround; ++off) {
    add(claim, std::max(rung - off, 0), ladder);
    add(claim, std::min(rung + off, last), ladder);
  }
  const int room = kColumns - count_[claim] - 1;  // for the first to join
  for (int i = 1; i <= room; ++i) {
    add(claim, static_cast<int>(std::int64_t{last} * i / (room + 1)), ladder);
  }
}

void RungBlock::weigh() {
  total_stake_ = 0.0;
  for (int k = 0; k < claims_; ++k) {
    double low = kInfinity;
    double high = -kInfinity;
    for (const Column* c = begin(k); c != end(k); ++c) {
      low = std::min(low, c->demand);
      high = std::max(high, c->demand);
    }
    share_[k] = high - low;
    total_stake_ += share_[k];
  }
  if (total_stake_ > 0.0) {
    share_ = (share_ / total_stake_).max(kLeastShare / claims_);
    share_ /= share_.sum();
  } else if (claims_ > 0) {
    share_ = 1.0 / claims_;
  }
}

void RungBlock::start(double tau) {
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

bool RungBlock::insert(int claim, int rung, const Ladder& ladder, double price, double tau) {
  for (const Column* c = begin(claim); c != end(claim); ++c) {
    if (c->rung == rung) {
      return false;
    }
  }
  if (count_[claim] == kColumns) {
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
  add(claim, rung, ladder);
  Column& column = begin(claim)[count];
  const double worth = column.value - price * column.demand;
  const double product = tau * share_[claim] / (count + 1);
  column.z = std::max(std::abs(theta_[claim] - worth), product / kFirstWeight);
  column.v = product / column.z;
  for (Column* c = begin(claim); c != begin(claim) + count; ++c) {
    c->v *= 1.0 - column.v;
  }
  return true;
}

bool RungBlock::drop_idle(const ArrayView& price, double tau) {
  bool dropped = false;
  for (int k = 0; k < claims_; ++k) {
    if (count_[k] <= kFewest) {
      continue;
    }
    const double far = kIdle * tau * share_[k] / count_[k];
    double mass = 1.0;
    for (Column* c = begin(k); c != end(k) && count_[k] > kFewest;) {
      const double slack = theta_[k] - (c->value - price[k] * c->demand);
      if (slack > far && c->v * kIdle < 1.0) {
        mass -= c->v;
        *c = *(end(k) - 1);
        --count_[k];
      } else {
        ++c;
      }
    }
    if (mass < 1.0) {
      dropped = true;
      for (Column* c = begin(k); c != end(k); ++c) {
        c->v /= mass;
      }
    }
  }
  return dropped;
}

void RungBlock::refresh() {
  products_ = 0.0;
  for (int k = 0; k < claims_; ++k) {
    double y = 0.0;
    double worth = 0.0;
    for (const Column* c = begin(k); c != end(k); ++c) {
      y += c->v * c->demand;
      worth += c->v * c->value;
      products_ += c->v * c->z;
    }
    demand[k] = y;
    value[k] = worth;
  }
}

void RungBlock::update_residuals(const ArrayView& price) {
  for (int k = 0; k < claims_; ++k) {
    double total = 0.0;
    double mean = 0.0;
    double mass = 1.0;
    for (Column* c = begin(k); c != end(k); ++c) {
      c->rz = c->z - theta_[k] + c->value - price[k] * c->demand;
      c->d = c->v / c->z;
      total += c->d;
      mean += c->d * c->demand;
      mass -= c->v;
    }
    mean /= total;
    double square = 0.0;
    for (const Column* c = begin(k); c != end(k); ++c) {
      square += c->d * (c->demand - mean) * (c->demand - mean);
    }
    total_[k] = total;
    mean_[k] = mean;
    mass_[k] = mass;
    spread[k] = square;
  }
}

void RungBlock::set_affine_rhs() {
  for (int k = 0; k < claims_; ++k) {
    for (Column* c = begin(k); c != end(k); ++c) {
      c->target = -c->v * c->z;
    }
  }
}

void RungBlock::set_combined_rhs(double tau) {
  for (int k = 0; k < claims_; ++k) {
    const double product = tau * share_[k] / count_[k];
    for (Column* c = begin(k); c != end(k); ++c) {
      c->target = product - c->v * c->z - c->dv * c->dz;
    }
  }
}

void RungBlock::set_centering_rhs(double tau) {
  for (int k = 0; k < claims_; ++k) {
    const double product = tau * share_[k] / count_[k];
    for (Column* c = begin(k); c != end(k); ++c) {
      c->target = product - c->v * c->z;
    }
  }
}

// dz = dtheta + y dG - rz,  dv = target / z - d dz,  sum dv = mass.
void RungBlock::reduce() {
  for (int k = 0; k < claims_; ++k) {
    double surplus = -mass_[k];
    double change = mean_[k] * mass_[k];
    for (Column* c = begin(k); c != end(k); ++c) {
      c->u = c->target / c->z + c->d * c->rz;
      surplus += c->u;
      change += (c->demand - mean_[k]) * c->u;
    }
    surplus_[k] = surplus;
    step[k] = change;
  }
}

void RungBlock::recover_step(const ArrayView& dprice) {
  crossed_ = second_ = 0.0;
  for (int k = 0; k < claims_; ++k) {
    dtheta_[k] = surplus_[k] / total_[k] - mean_[k] * dprice[k];
    const double common = surplus_[k] / total_[k];
    for (Column* c = begin(k); c != end(k); ++c) {
      // dtheta + y dG, from the mean.
      c->dz = common + (c->demand - mean_[k]) * dprice[k] - c->rz;
      c->dv = c->u - c->d * (c->dz + c->rz);
      crossed_ += c->v * c->dz + c->z * c->dv;
      second_ += c->dv * c->dz;
    }
  }
}

void RungBlock::ratio_test(double& steepest) const {
  for (int k = 0; k < claims_; ++k) {
    for (const Column* c = begin(k); c != end(k); ++c) {
      steepest = std::max({steepest, -c->dv / c->v, -c->dz / c->z});
    }
  }
}

void RungBlock::advance(double along) {
  for (int k = 0; k < claims_; ++k) {
    theta_[k] += along * dtheta_[k];
    for (Column* c = begin(k); c != end(k); ++c) {
      c->v += along * c->dv;
      c->z += along * c->dz;
    }
  }
  refresh();
}

}  // namespace kpm
