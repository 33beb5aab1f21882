#include "ipm/nested_system.hpp"

#include <algorithm>

#include "numerics/tolerances.hpp"

namespace kpm {

NestedSystem::NestedSystem(const ScaledMarket& market, const RiskBlock& risk, Arena& arena)
    : sets_(market.nested),
      nodes_(arena.span<Node>(market.claims() + 1)),
      diagonal_(arena.array(market.claims())),
      border_(risk, market.claims(), nodes_.size(), arena) {}

void NestedSystem::factor(const Slice& weight, const Slice& alone, const Slice& slope,
                          const Slice& scale) {
  load_states(weight);
  for (const int k : sets_.order()) {
    Node& node = nodes_[k];
    node.alone = alone[k];
    node.slope = slope[k];
    node.scale = scale[k];
    const double bordered = node.cross[0] - border_.taken_off(node.cross);
    diagonal_[k] = 1.0 + node.scale * bordered * node.scale;
    invert(node);
    eliminate(node, nodes_[sets_.around(k)]);
  }
  Node& all = nodes_[diagonal_.size()];
  const double room = all.p + (all.r > 0.0 ? all.q * all.q / all.r : 0.0);
  // Zero where sets cover all states and no price has room: then one follows from the others.
  const bool free = room > kRedundantRow * all.mass;
  const double inverse = free ? 1.0 / (all.p * all.r + all.q * all.q) : 0.0;
  all.of_x = all.r * inverse;
  all.across = all.q * inverse;
  all.of_e = free ? all.p * inverse : all.r > 0.0 ? 1.0 / all.r : 0.0;
  if (border_.has_shared()) {
    factor_shared(weight);
  }
}

/// Each state in the smallest set that it is in.
void NestedSystem::load_states(const Slice& weight) {
  for (Node& node : nodes_) {
    node.p = 0.0;
    node.own = {};
  }
  border_.load(weight.size(), [&](Eigen::Index i, const RiskBorder::Row& row) {
    Node& node = nodes_[sets_.claim_of(i)];
    node.p += weight[i];
    for (int n = 0; n < RiskBorder::kVariables; ++n) {
      node.own[n] += row[n];
    }
  });
  for (Node& node : nodes_) {
    node.mass = node.p;
    node.q = 0.0;
    node.r = node.own[0];
    node.cross = node.own;
  }
}

/// The rows of a claim's x and e, once those within its set are eliminated. An x that nothing is
/// left of does not move.
void NestedSystem::invert(Node& node) const {
  const double of_value = 1.0 + node.scale * node.r * node.scale;
  const double across = node.slope + node.scale * node.q;
  const double pivot = node.alone + node.p + across * across / of_value;
  if (pivot > kRedundantRow * (node.alone + node.mass)) {
    const double inverse = 1.0 / (pivot * of_value);
    node.of_x = 1.0 / pivot;
    node.across = across * inverse;
    node.of_e = (node.alone + node.p) * inverse;
  } else {
    node.of_x = node.across = 0.0;
    node.of_e = 1.0 / of_value;
  }
}

void NestedSystem::eliminate(const Node& node, Node& outer) {
  const double s = node.scale;
  if (node.of_x > 0.0) {
    const double inverse = node.of_x / (1.0 + s * node.r * s);
    const double room = (node.alone + node.slope * node.slope) * inverse;
    const double square = (node.p * node.r + node.q * node.q) * inverse;
    outer.p += node.p * room + node.alone * s * s * square;
    outer.q += node.q * room + node.slope * s * square;
    outer.r += node.r * room + square;
  } else {
    outer.p += node.p + s * node.q * node.of_e * node.q * s;
    outer.q += node.q * node.of_e;
    outer.r += node.r * node.of_e;
  }
  outer.mass += node.mass;
  for (int row = 0; row < RiskBorder::kVariables; ++row) {
    outer.cross[row] += node.cross[row];
  }
}

/// What d and mu do, and what is left of them.
void NestedSystem::factor_shared(const Slice& weight) {
  const Eigen::Index claims = diagonal_.size();
  for (int row = 0; row < RiskBorder::kShared; ++row) {
    for (Node& node : nodes_) {
      node.price = 0.0;
      node.value = -node.own[row + 1];
    }
    double* const x = border_.x_by(row);
    double* const e = border_.e_by(row);
    std::fill_n(x, claims, 0.0);
    std::fill_n(e, claims, 0.0);
    sweep(x, e);
    for (Eigen::Index k = 0; k <= claims; ++k) {
      border_.push_by(row)[k] = nodes_[k].push;
      border_.loss_by(row)[k] = nodes_[k].loss;
    }
  }
  border_.factor_shared(
      weight, claims, [this](Eigen::Index i) { return sets_.claim_of(i); },
      [this](Eigen::Index k) { return nodes_[k].alone; });
}

/// The solution with d and mu at zero, for what the nodes hold of prices and values.
void NestedSystem::sweep(double* x, double* e) {
  for (const int k : sets_.order()) {
    const Node& node = nodes_[k];
    const double price = x[k] - node.price;
    const double value = e[k] - node.scale * node.value;
    x[k] = node.of_x * price - node.across * value;
    e[k] = node.across * price + node.of_e * value;
    const double loss = node.scale * e[k];
    Node& outer = nodes_[sets_.around(k)];
    outer.price += node.price + node.p * x[k] + node.q * loss;
    outer.value += node.value - node.q * x[k] + node.r * loss;
  }
  Node& all = nodes_[diagonal_.size()];
  all.push = all.across * all.value - all.of_x * all.price;
  all.loss = -(all.across * all.price + all.of_e * all.value);
  for (auto at = sets_.order().rbegin(); at != sets_.order().rend(); ++at) {
    const int k = *at;
    Node& node = nodes_[k];
    const Node& outer = nodes_[sets_.around(k)];
    const double price = node.p * outer.push + node.q * outer.loss;
    const double value = node.scale * (node.r * outer.loss - node.q * outer.push);
    x[k] -= node.of_x * price - node.across * value;
    e[k] -= node.across * price + node.of_e * value;
    node.push = outer.push + x[k];
    node.loss = outer.loss + node.scale * e[k];
  }
}

void NestedSystem::solve_in_place(Slice& x, Slice& e) {
  for (Node& node : nodes_) {
    node.price = node.value = 0.0;
  }
  sweep(x.data(), e.data());
  if (!border_.has_shared()) {
    return;
  }
  RiskBorder::Shared pushed{};
  for (const Node& node : nodes_) {
    pushed[0] += node.own[1] * node.loss;
    pushed[1] += node.own[2] * node.loss;
  }
  border_.move_shared(pushed, x.size(), x.data(), e.data());
}

void NestedSystem::apply(const Slice& y, Slice& out) {
  nodes_[y.size()].loss = 0.0;
  for (auto k = sets_.order().rbegin(); k != sets_.order().rend(); ++k) {
    nodes_[*k].loss = nodes_[sets_.around(*k)].loss + y[*k];
  }
  RiskBorder::Row pushed{};
  for (const Node& node : nodes_) {
    for (int row = 0; row < RiskBorder::kVariables; ++row) {
      pushed[row] += node.own[row] * node.loss;
    }
  }
  const auto [kappa, d, mu] = border_.solve(pushed);
  for (Node& node : nodes_) {
    node.value = node.own[0] * (node.loss - kappa) - node.own[1] * d - node.own[2] * mu;
  }
  for (const int k : sets_.order()) {
    out[k] = nodes_[k].value;
    nodes_[sets_.around(k)].value += out[k];
  }
}

}  // namespace kpm
