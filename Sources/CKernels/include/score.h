// What a prediction y costs when the next token follows a law π.

#ifndef GRADFLOW_SCORE_H
#define GRADFLOW_SCORE_H

/// −Σ π_e log(y_e + ε); or, where y are taken as logits, −Σ π_e log softmax(y)_e.
typedef struct {
  int takes_logits;
  /// ε.
  double floor;
} gf_score;

#endif
