package tianbao

// Faults returns the short names of the faults that values of the kind can have,
// in the order in which they are looked for; nil for a kind that does not exist.
// A form lists those it asks for in [Field.Rules]; it cannot list others.
func (k Kind) Faults() []string {
	switch k {
	case KindText:
		return []string{"required", "charset", "length"}
	case KindCode:
		return []string{"required", "float", "charset", "leading_zeros"}
	case KindCreditCode:
		return []string{"required", "length", "charset", "checksum", "kind", "province", "old_form", "not_public"}
	case KindChoice:
		return []string{"required", "unknown"}
	case KindName:
		return []string{"required", "charset", "length"}
	case KindResidentID:
		return []string{
			"required", "masked", "precision_lost", "old15", "length", "charset",
			"province", "birthdate", "checksum", "permit",
		}
	case KindPhone:
		return []string{"required", "format", "landline"}
	}
	return nil
}
