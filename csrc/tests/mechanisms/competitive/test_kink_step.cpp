// What a step at a kink counts as, against what its products and decompositions do.
#include <algorithm>
#include <numeric>
#include <vector>

#include "check.hpp"
#include "mechanisms/competitive/kink_step.hpp"
#include "mechanisms/competitive/tied_functions.hpp"
#include "random_book.hpp"

namespace kpm {

namespace {

/// Multiplications and additions of a Householder decomposition with column pivoting: each of its
/// reflections is applied to what is left of the matrix, an inner product and an update an entry.
double decomposition(int rows, int columns) {
  double operations = 0.0;
  for (int j = 0; j < std::min(rows, columns); ++j) {
    operations += 4.0 * (rows - j) * (columns - j);
  }
  return operations;
}

double work_of_kink_step(int claims, int functions, bool curved) {
  if (curved) {
    const int all = claims + functions + 1;
    return decomposition(all, all);
  }
  return decomposition(functions, claims + 1) + decomposition(claims + 1, functions);
}

/// A step that counts for less is not heard in time, one that counts for more ends clearings early.
void check_counts(double counted, double work) {
  CHECK_AT_MOST(0.5 * work, counted, 0.0);
  CHECK_AT_MOST(counted, 4.0 * work, 0.0);
}

constexpr int kSizes[] = {1, 2, 3, 10, 40, 300, 2000};

}  // namespace

TEST(a_step_at_a_kink_counts_as_what_it_takes) {
  for (const bool curved : {false, true}) {
    for (const int claims : kSizes) {
      for (const int functions : kSizes) {
        check_counts(operations_of_kink_step(claims, functions, curved),
                     work_of_kink_step(claims, functions, curved));
      }
    }
  }
}

TEST(what_tied_vertices_make_of_claims_counts_as_what_it_takes) {
  test::Random random(7);
  for (const int states : {1, 5, 60}) {
    const test::RandomBook book(random, states, 2, 4);
    const std::vector<Staircase> stairs = compile_staircases(book.market(), book.book());
    const ScaledMarket scaled(book.market(), stairs);
    for (const int count : {1, 2, 30}) {
      std::vector<double> vertices(static_cast<std::size_t>(count * states), 1.0 / states);
      std::vector<int> tied(static_cast<std::size_t>(count));
      std::iota(tied.begin(), tied.end(), 0);
      MakerModel model;
      model.states = states;
      model.kind = MakerKind::kPolytope;
      model.vertices = vertices.data();
      model.priors = count;
      for (const bool curved : {false, true}) {
        model.risk_aversion = curved ? 1.0 : 0.0;
        const ScaledMaker maker(model, scaled);
        const TiedFunctions functions(maker, tied, states);
        for (const int claims : kSizes) {
          // A product with the gradients; for each of them the claims centred, weighted, and a
          // product with themselves.
          const double once = 2.0 * count * states * claims;
          check_counts(functions.operations(claims), curved ? once * (2.0 + claims) : once);
        }
      }
      model.kind = MakerKind::kWorstState;
      const ScaledMaker worst(model, scaled);
      CHECK(TiedFunctions(worst, {}, states).operations(300.0) == 0.0);  // a choice of columns
    }
  }
}

}  // namespace kpm
