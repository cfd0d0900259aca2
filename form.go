package tianbao

// Kind names the family of rules and the normal form of a field. The kinds are
// the vocabulary in which a form is written; a new form needs no new code as long
// as it is written in these words.
type Kind string

// The kinds of fields, with the clause each obeys.
const (
	KindText       Kind = "text"        // free text of MinLength to MaxLength characters
	KindCode       Kind = "code"        // digits and letters, leading zeros kept (budget unit code)
	KindCreditCode Kind = "credit_code" // unified social credit code, GB 32100-2015
	KindChoice     Kind = "choice"      // one of Enum
	KindName       Kind = "name"        // a person's name, 民委发〔2016〕33号
	KindResidentID Kind = "resident_id" // resident id, GB 11643-1999, permits and cards
	KindPhone      Kind = "phone"       // mobile or landline number
)

// Mask says how a field's value is shown to those who may not see it whole.
type Mask string

// The masks of sealed fields.
const (
	MaskNone  Mask = ""
	MaskID    Mask = "id"    // 210102********1234
	MaskPhone Mask = "phone" // 139****1241
	MaskName  Mask = "name"  // 张*
	MaskMail  Mask = "mail"  // z***@example.gov.cn
)

// Field is one column of a form.
type Field struct {
	Key       string   // machine name, e.g. "person_id"
	Letter    string   // the column's letter in the sheet, "A" …
	Title     string   // header, as users see it
	Note      string   // the column note above the sheet, without letter and end mark: writers add “A列：” and “；”
	Kind      Kind     // rule family and normal form
	Required  bool     // must be filled
	MinLength int      // in characters; 0 = no lower bound
	MaxLength int      // in characters; 0 = no upper bound
	Enum      []string // the list of a KindChoice field
	// EnumAliases maps other spellings to members of Enum (主要部门 → 主管部门).
	EnumAliases map[string]string
	Synonyms    []string // other headers under which the column is found
	Sealed      bool     // stored sealed, found by keyed index only
	Mask        Mask     // how the value is shown when it may not be seen whole
	Merged      bool     // a cell merged over rows belongs to each of them
	Width       int      // of the workbook's column, in characters
	// Pixels is the width of the sheet's column on screen.
	Pixels int
	// Frozen columns stay in sight while the sheet scrolls sideways.
	Frozen bool
	// Rules gives the severity of each fault that the form asks for, keyed by the
	// fault's short name ("checksum"); the code is Key + "." + name, but "required"
	// stands alone. A fault that is not listed is not reported.
	Rules map[string]Severity
	// Register is the key under which the register of units has the field, where it is
	// not the field's own: org_code, budget_code, unit_name or unit_type.
	Register string
}

// RegisterKey returns the key under which the register of units has the field.
func (f *Field) RegisterKey() string {
	if f.Register != "" {
		return f.Register
	}
	return f.Key
}

// CrossRule is a rule between the rows of one sheet. The later of two rows that
// break it carries the problem.
type CrossRule struct {
	Code     string   // e.g. "phone.shared"
	Severity Severity // what it stops
	// Same are the field keys that are equal in both rows (and not empty). An
	// element may name alternatives, "org_code|unit_name": the first of them that
	// is filled in a row stands for it, and is compared with the same field only.
	Same    []string
	Differ  []string // field keys of which at least one differs; empty: none is asked
	At      string   // the field that carries the problem; empty: the row as a whole
	Message string   // Chinese sentence, {row} stands for the earlier row's number
}

// Form is the definition of one report form at one version. Everything that
// shows, checks, stores or exports rows reads it; nothing knows the columns by
// heart.
type Form struct {
	Name    string // machine name, e.g. "asset-role"
	Version int    // published versions count from 1 and never change
	Title   string // 预算管理一体化预算单位用户及资产管理角色信息采集表
	Folder  string // the folder of 报表管理 that holds it: 资产角色采集
	SeqKey  string // key of the row number, "seq"
	// SeqTitle and SeqSynonyms head the row number's column, 序号.
	SeqTitle    string
	SeqSynonyms []string
	Fields      []Field
	CrossRules  []CrossRule
	// UnitKeys are the fields that name the row's unit, the most certain first
	// (org_code, budget_code, unit_name): ownership is decided per row. The register finds
	// the unit by what they hold of it, see [Field.RegisterKey].
	UnitKeys []string
	// IdentityKeys are the fields by which a row without an id is matched on
	// import: (unit, person id).
	IdentityKeys []string
	// Formula lists the codes of the faults that a workbook can find by itself, by
	// formulas, while it is filled in offline.
	Formula []string
}

// Index returns the position of the field with the given key, or -1.
func (f *Form) Index(key string) int {
	for i := range f.Fields {
		if f.Fields[i].Key == key {
			return i
		}
	}
	return -1
}

// Field returns the field with the given key, or nil.
func (f *Form) Field(key string) *Field {
	if i := f.Index(key); i >= 0 {
		return &f.Fields[i]
	}
	return nil
}
