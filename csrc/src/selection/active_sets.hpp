// The least regret on a face to the last digit.
#pragma once

#include "selection/least_regret.hpp"

namespace kpm {

/// An interior-point method reaches what holds its minimum only as its products vanish, and a
/// minimum that lies at the end of a step by itself only as their root does. From where it ended,
/// `near`, active sets go on: Newton's method along what is not held, up to what holds next, and
/// away from what holds wrongly. Demand at an end is exactly there afterwards, whatever the widths
/// of the other steps; all else is as exact as the directions.
Array minimise_by_active_sets(const FaceProblem& face, const Array& near,
                              Checkpoint* checkpoint = nullptr);

}  // namespace kpm
