#include "mechanisms/competitive/rung_block.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace kpm {

namespace {

constexpr double kLeastShare = 1e-3;   // of the products, so that no claim is resolved too finely
constexpr double kFirstWeight = 0.02;  // the largest weight of a rung that joins midway
constexpr double kIdle = 50.0;         // products: a slack that keeps a weight below 1 / this
constexpr int kFewest = 3;             // columns of a claim
constexpr int kAround = 4;             // rungs on either side of the first price

}  // namespace

RungBlock::RungBlock(int claims, Arena& arena)
    : demand(arena.array(claims)),
      value(arena.array(claims)),
      step(arena.array(claims)),
      spread(arena.array(claims)),
      claims_(claims),
      columns_(arena.span<Columns>(Eigen::Index{claims} * (kColumns / 2))),
      count_(arena.span<int>(claims)),
      theta_(arena.array(claims)),
      dtheta_(arena.array(claims)),
      share_(arena.array(claims)),
      total_(arena.array(claims)),
      mean_(arena.array(claims)),
      surplus_(arena.array(claims)),
      mass_(arena.array(claims)) {}

void RungBlock::clear() { std::fill(count_.begin(), count_.end(), 0); }

bool RungBlock::has(int claim, int rung) const {
  for (int c = 0; c < count_[claim]; ++c) {
    if (begin(claim)[c / 2].rung[static_cast<std::size_t>(c % 2)] == rung) {
      return true;
    }
  }
  return false;
}

/// The second lane of a claim's last record, where there is no such column.
void RungBlock::spare(Columns& last) {
  last.demand[1] = last.demand[0];
  last.value[1] = last.value[0];
  last.z[1] = last.z[0];
  last.v[1] = last.dv[1] = 0.0;
}

void RungBlock::append(int claim, int rung, const Ladder& ladder, double v, double z) {
  const int at = count_[claim]++;
  Columns& two = begin(claim)[at / 2];
  const int lane = at % 2;
  two.rung[static_cast<std::size_t>(lane)] = rung;
  two.demand[lane] = ladder.demand[static_cast<std::size_t>(rung)];
  two.value[lane] = ladder.value[static_cast<std::size_t>(rung)];
  two.v[lane] = v;
  two.z[lane] = z;
  two.dv[lane] = two.dz[lane] = 0.0;
  if (lane == 0) {
    two.dz[1] = 0.0;
    spare(two);
  }
}

/// The last column takes the place of the one that leaves.
void RungBlock::remove(int claim, int column) {
  const int last = --count_[claim];
  Columns& from = begin(claim)[last / 2];
  Columns& to = begin(claim)[column / 2];
  const int f = last % 2;
  const int t = column % 2;
  to.rung[static_cast<std::size_t>(t)] = from.rung[static_cast<std::size_t>(f)];
  to.demand[t] = from.demand[f];
  to.value[t] = from.value[f];
  to.v[t] = from.v[f];
  to.z[t] = from.z[f];
  if (f == 1) {
    spare(from);
  }
}

void RungBlock::sample(int claim, int rung, const Ladder& ladder) {
  const auto add = [&](int which) {
    if (count_[claim] < kColumns && !has(claim, which)) {
      append(claim, which, ladder, 0.0, 1.0);
    }
  };
  const int last = ladder.rungs() - 1;
  if (last < kColumns - 1) {  // with room for one that joins, as below
    for (int every = 0; every <= last; ++every) {
      append(claim, every, ladder, 0.0, 1.0);
    }
    return;
  }
  add(0);
  add(last);
  for (int off = 0; off <= kAround; ++off) {
    add(std::max(rung - off, 0));
    add(std::min(rung + off, last));
  }
  const int room = kColumns - count_[claim] - 1;  // for the first to join
  for (int i = 1; i <= room; ++i) {
    add(static_cast<int>(std::int64_t{last} * i / (room + 1)));
  }
}

void RungBlock::weigh() {
  total_stake_ = 0.0;
  for (int k = 0; k < claims_; ++k) {
    Pair low = Pair::Constant(kInfinity);
    Pair high = -low;
    for (const Columns* c = begin(k); c != end(k); ++c) {
      low = low.min(c->demand);
      high = high.max(c->demand);
    }
    share_[k] = high.maxCoeff() - low.minCoeff();
    total_stake_ += share_[k];
  }
  if (total_stake_ > 0.0) {
    share_ = (share_ / total_stake_).max(kLeastShare / claims_);
    share_ /= share_.sum();
  } else if (claims_ > 0) {
    share_ = 1.0 / claims_;
  }
}

void RungBlock::start(double tau, bool idle_leave) {
  idle_leave_ = idle_leave;
  for (int k = 0; k < claims_; ++k) {
    for (Columns* c = begin(k); c != end(k); ++c) {
      c->v.setConstant(1.0 / count_[k]);
      c->z.setConstant(tau * share_[k]);
      c->dv.setZero();
      c->dz.setZero();
    }
    if (count_[k] % 2 == 1) {
      spare(*(end(k) - 1));
    }
    theta_[k] = tau * share_[k];
  }
  dtheta_.setZero();
  refresh();
}

bool RungBlock::insert(int claim, int rung, const Ladder& ladder, double price, double tau) {
  if (has(claim, rung)) {
    return false;
  }
  const auto weight = [&](int c) -> double& { return begin(claim)[c / 2].v[c % 2]; };
  if (count_[claim] == kColumns) {
    int lightest = 0;
    for (int c = 1; c < kColumns; ++c) {
      lightest = weight(c) < weight(lightest) ? c : lightest;
    }
    remove(claim, lightest);
  }
  const auto at = static_cast<std::size_t>(rung);
  const double worth = ladder.value[at] - price * ladder.demand[at];
  const double product = tau * share_[claim] / (count_[claim] + 1);
  const double z = std::max(std::abs(theta_[claim] - worth), product / kFirstWeight);
  for (Columns* c = begin(claim); c != end(claim); ++c) {
    c->v *= 1.0 - product / z;
  }
  append(claim, rung, ladder, product / z, z);
  return true;
}

bool RungBlock::drop_idle(const ArrayView& price, double tau) {
  bool dropped = false;
  for (int k = 0; k < claims_; ++k) {
    if (!idle_leave_ || count_[k] <= kFewest) {
      continue;
    }
    const double far = kIdle * tau * share_[k] / count_[k];
    Pair most = Pair::Zero();
    for (const Columns* c = begin(k); c != end(k); ++c) {
      const Pair beyond = theta_[k] - far - (c->value - price[k] * c->demand);
      most = most.max(beyond.min(1.0 / kIdle - c->v));
    }
    if (!(most.maxCoeff() > 0.0)) {
      continue;
    }
    double mass = 1.0;
    for (int c = 0; c < count_[k] && count_[k] > kFewest;) {
      const Columns& two = begin(k)[c / 2];
      const int lane = c % 2;
      const double slack = theta_[k] - (two.value[lane] - price[k] * two.demand[lane]);
      if (slack > far && two.v[lane] * kIdle < 1.0) {
        mass -= two.v[lane];
        remove(k, c);
      } else {
        ++c;
      }
    }
    if (mass < 1.0) {
      dropped = true;
      for (Columns* c = begin(k); c != end(k); ++c) {
        c->v /= mass;
      }
    }
  }
  return dropped;
}

void RungBlock::refresh() {
  Pair products = Pair::Zero();
  for (int k = 0; k < claims_; ++k) {
    Pair y = Pair::Zero();
    Pair worth = Pair::Zero();
    for (const Columns* c = begin(k); c != end(k); ++c) {
      y += c->v * c->demand;
      worth += c->v * c->value;
      products += c->v * c->z;
    }
    demand[k] = y.sum();
    value[k] = worth.sum();
  }
  products_ = products.sum();
}

void RungBlock::update_residuals(const ArrayView& price) {
  for (int k = 0; k < claims_; ++k) {
    Pair total = Pair::Zero();
    Pair moment = Pair::Zero();
    Pair mass = Pair::Zero();
    for (Columns* c = begin(k); c != end(k); ++c) {
      c->rz = c->z - theta_[k] + (c->value - price[k] * c->demand);
      c->inverse_z = 1.0 / c->z;
      c->inverse_v = 1.0 / c->v;
      if (c + 1 == end(k) && count_[k] % 2 == 1) {
        c->inverse_z[1] = c->inverse_v[1] = 0.0;
      }
      c->d = c->v * c->inverse_z;
      total += c->d;
      moment += c->d * c->demand;
      mass += c->v;
    }
    total_[k] = total.sum();
    mean_[k] = moment.sum() / total_[k];
    mass_[k] = 1.0 - mass.sum();
    Pair square = Pair::Zero();
    for (const Columns* c = begin(k); c != end(k); ++c) {
      square += c->d * (c->demand - mean_[k]).square();
    }
    spread[k] = square.sum();
  }
}

// dz = dtheta + y dG - rz,  dv = target / z - d dz,  sum dv = mass; `target` without the -v z that
// all have.
template <class Target>
void RungBlock::set_rhs(double tau, Target&& target) {
  for (int k = 0; k < claims_; ++k) {
    const double product = tau * share_[k] / count_[k];
    Pair surplus = Pair::Zero();
    Pair change = Pair::Zero();
    for (Columns* c = begin(k); c != end(k); ++c) {
      c->u = target(*c, product) * c->inverse_z - c->v + c->d * c->rz;
      surplus += c->u;
      change += (c->demand - mean_[k]) * c->u;
    }
    surplus_[k] = surplus.sum() - mass_[k];
    step[k] = change.sum() + mean_[k] * mass_[k];
  }
}

void RungBlock::set_affine_rhs() { set_centering_rhs(0.0); }

void RungBlock::set_combined_rhs(double tau) {
  set_rhs(tau, [](const Columns& c, double product) -> Pair { return product - c.dv * c.dz; });
}

void RungBlock::set_centering_rhs(double tau) {
  set_rhs(tau, [](const Columns& /*c*/, double product) { return product; });
}

void RungBlock::recover_step(const ArrayView& dprice) {
  Pair crossed = Pair::Zero();
  Pair second = Pair::Zero();
  Pair inverse_step = Pair::Zero();
  for (int k = 0; k < claims_; ++k) {
    const double common = surplus_[k] / total_[k];
    dtheta_[k] = common - mean_[k] * dprice[k];
    for (Columns* c = begin(k); c != end(k); ++c) {
      // dtheta + y dG, from the mean.
      const Pair slope = common + (c->demand - mean_[k]) * dprice[k];
      c->dz = slope - c->rz;
      c->dv = c->u - c->d * slope;
      crossed += c->v * c->dz + c->z * c->dv;
      second += c->dv * c->dz;
      inverse_step = inverse_step.max(-c->dv * c->inverse_v).max(-c->dz * c->inverse_z);
    }
  }
  crossed_ = crossed.sum();
  second_ = second.sum();
  inverse_step_ = inverse_step.maxCoeff();
}

void RungBlock::advance(double along) {
  for (int k = 0; k < claims_; ++k) {
    theta_[k] += along * dtheta_[k];
    for (Columns* c = begin(k); c != end(k); ++c) {
      c->v += along * c->dv;
      c->z += along * c->dz;
    }
  }
  refresh();
}

}  // namespace kpm
