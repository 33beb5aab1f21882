// A symmetric system with few rows, their number known at compile time.
#pragma once

#include <array>

namespace kpm {

template <int kSize>
class FewRows {
 public:
  using Row = std::array<double, kSize>;

  /// LDL' without pivoting. A pivot that is nothing next to its diagonal entry fixes its unknown
  /// at zero.
  class Factor {
   public:
    Factor() = default;
    Factor(const FewRows& matrix, double redundant) : lower_(matrix.lower_) {
      Row pivot{};
      for (int j = 0; j < kSize; ++j) {
        const double diagonal = at(j, j);
        double rest = diagonal;
        for (int p = 0; p < j; ++p) {
          rest -= at(j, p) * at(j, p) * pivot[p];
        }
        pivot[j] = rest > redundant * diagonal ? rest : 0.0;
        inverse_[j] = pivot[j] > 0.0 ? 1.0 / pivot[j] : 0.0;
        for (int i = j + 1; i < kSize; ++i) {
          double value = at(i, j);
          for (int p = 0; p < j; ++p) {
            value -= at(i, p) * at(j, p) * pivot[p];
          }
          lower_[i][j] = value * inverse_[j];
        }
      }
    }

    Row solve(Row x) const {
      for (int j = 0; j < kSize; ++j) {
        for (int p = 0; p < j; ++p) {
          x[j] -= at(j, p) * x[p];
        }
      }
      for (int j = kSize - 1; j >= 0; --j) {
        x[j] *= inverse_[j];
        for (int i = j + 1; i < kSize; ++i) {
          x[j] -= at(i, j) * x[i];
        }
      }
      return x;
    }

   private:
    double at(int row, int column) const { return lower_[row][column]; }

    std::array<Row, kSize> lower_{};
    Row inverse_{};
  };

  /// Add weight x x'.
  void add_square(double weight, const Row& x) {
    for (int i = 0; i < kSize; ++i) {
      for (int j = 0; j <= i; ++j) {
        lower_[i][j] += weight * x[i] * x[j];
      }
    }
  }

  static double dot(const Row& x, const Row& y) {
    double sum = 0.0;
    for (int i = 0; i < kSize; ++i) {
      sum += x[i] * y[i];
    }
    return sum;
  }

 private:
  std::array<Row, kSize> lower_{};  // the lower triangle
};

}  // namespace kpm
