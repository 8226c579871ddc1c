//go:build race

package awssm_test

// raced: the race detector makes everything several times slower, so there is less of it.
const raced = true
