package passkey

// defaultName is what a passkey is called until its person renames it: by the make that its AAGUID tells. That is a
// convenience and proves nothing: without attestation anybody can claim any.
func defaultName(aaguid []byte) string {
	switch uuid(aaguid) {
	case "fbfc3007-154e-4ecc-8c0b-6e020557d7bd", "dd4ec289-e01d-41c9-bb89-70fa845d4bf2":
		return "iCloud Keychain"
	case "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4":
		return "Google Password Manager"
	case "adce0002-35bc-c60a-648b-0b25f1f05503":
		return "Chrome on Mac"
	case "771b48fd-d3d4-4f74-9232-fc157ab0507a":
		return "Edge on Mac"
	case "08987058-cadc-4b81-b6e1-30de50dcbe96", "9ddd1817-af5a-4672-a2b9-3e3dd95000a9", "6028b017-b1d4-4c02-b4b3-afcdafc96bb2":
		return "Windows Hello"
	case "d3452668-01fd-4c12-926c-83a4204853aa":
		return "Microsoft Password Manager"
	case "bada5566-a7aa-401f-bd96-45619a55120d":
		return "1Password"
	case "d548826e-79b4-db40-a3d8-11116f7e8349":
		return "Bitwarden"
	case "531126d6-e717-415c-9320-3d9aa6981239":
		return "Dashlane"
	case "b84e4048-15dc-4dd0-8640-f4f60813c8af":
		return "NordPass"
	case "0ea242b4-43c4-4a1b-8b17-dd6d0b6baec6":
		return "Keeper"
	case "f3809540-7f14-49c1-a8b3-8f813b225541":
		return "Enpass"
	case "50726f74-6f6e-5061-7373-50726f746f6e":
		return "Proton Pass"
	case "b78a0a55-6ef8-d246-a042-ba0f6d55050c":
		return "LastPass"
	case "fdb141b2-5d84-443e-8a35-4698c205a502":
		return "KeePassXC"
	case "53414d53-554e-4700-0000-000000000000":
		return "Samsung Pass"
	case "cb69481e-8ff7-4039-93ec-0a2729a154a8", "ee882879-721c-4913-9775-3dfcce97072a",
		"fa2b99dc-9e39-4257-8f92-4a30d23c4118", "2fc0579f-8113-47ea-b116-bb5a8db9202a":
		return "YubiKey 5"
	case "d8522d9f-575b-4866-88a9-ba99fa02f35b":
		return "YubiKey Bio"
	}
	return "Passkey"
}
