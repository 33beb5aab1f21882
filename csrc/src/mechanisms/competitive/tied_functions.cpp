#include "mechanisms/competitive/tied_functions.hpp"

#include <cmath>

namespace kpm {

namespace {

constexpr double kFlat = 1e-9;  // the ambiguity price of a kink

}  // namespace

std::vector<int> tied_functions(const Auction& auction, const AuctionProgram& program, bool kink) {
  const Array loss = auction.losses(program.demand());
  std::vector<int> tied;
  const ScaledMaker& maker = auction.maker;
  const bool knightian = maker.kind == MakerKind::kKnightian;
  if (maker.kind == MakerKind::kPolytope) {
    Array cost(maker.priors.rows());
    Array gradient(loss.size());
    for (Eigen::Index v = 0; v < cost.size(); ++v) {
      cost[v] = certainty_equivalent(maker, static_cast<int>(v), maker.risk_aversion, loss,
                                     gradient.data());
    }
    const double worst = cost.maxCoeff();
    for (Eigen::Index v = 0; v < cost.size(); ++v) {
      if (program.weights()[v] > worst - cost[v]) {
        tied.push_back(static_cast<int>(v));
      }
    }
    return tied.size() > 1 || maker.risk_aversion == 0.0 ? tied : std::vector<int>();
  }
  const bool flat =
      auction.market.kind == Ambiguity::kSimplex ||
      (auction.market.kind == Ambiguity::kBall && (kink || program.ambiguity_price() <= kFlat));
  if (maker.kind == MakerKind::kWorstState || (knightian && flat)) {
    const double worst = loss.maxCoeff();
    double mass = 0.0;
    for (int i = 0; i < auction.market.states(); ++i) {
      if (program.g()[i] > worst - loss[i]) {
        tied.push_back(i);
        mass += auction.market.prior[i];
      }
    }
    // A kink is where the ball reaches beyond the worst states; one that does not reach them alone
    // has its worst case elsewhere, too, however averse the maker.
    if (auction.market.kind == Ambiguity::kBall &&
        auction.market.ambiguity + std::log(mass) < 0.0) {
      tied.clear();
    }
  }
  return tied;
}

TiedFunctions::TiedFunctions(const ScaledMaker& maker, const std::vector<int>& which,
                             Eigen::Index states)
    : maker_(maker),
      which_(which),
      states_(states),
      cost_(static_cast<Eigen::Index>(which.size())),
      gradient_(maker.kind == MakerKind::kPolytope ? cost_.size() : 0, states) {}

void TiedFunctions::evaluate(const Array& loss) {
  for (Eigen::Index v = 0; v < cost_.size(); ++v) {
    const int function = which_[static_cast<std::size_t>(v)];
    cost_[v] = gradient_.rows() > 0 ? certainty_equivalent(maker_, function, maker_.risk_aversion,
                                                           loss, &gradient_(v, 0))
                                    : loss[function];
  }
}

Array TiedFunctions::mix(const Vector& weight) const {
  if (gradient_.rows() > 0) {
    return (gradient_.transpose() * weight).array();
  }
  Array prices = Array::Zero(states_);
  for (std::size_t v = 0; v < which_.size(); ++v) {
    prices[which_[v]] = weight[static_cast<Eigen::Index>(v)];
  }
  return prices;
}

Matrix TiedFunctions::value(const Matrix& payoffs) const {
  return gradient_.rows() > 0 ? Matrix(payoffs * gradient_.transpose())
                              : Matrix(payoffs(Eigen::all, which_));
}

Matrix TiedFunctions::curvature(const Matrix& payoffs, const Matrix& values,
                                const Vector& weight) const {
  Matrix sum = Matrix::Zero(payoffs.rows(), payoffs.rows());
  for (Eigen::Index v = 0; v < gradient_.rows(); ++v) {
    const Matrix centred = payoffs.colwise() - values.col(v);
    sum += maker_.risk_aversion * weight[v] * centred * gradient_.row(v).transpose().asDiagonal() *
           centred.transpose();
  }
  return sum;
}

double TiedFunctions::operations(double claims) const {
  const double once = 2.0 * claims * static_cast<double>(gradient_.size());
  return maker_.risk_aversion > 0.0 ? once * (claims + 1.0) : once;
}

}  // namespace kpm
