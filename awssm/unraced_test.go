//go:build !race

package awssm_test

const raced = false
